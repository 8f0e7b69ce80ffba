import { type BodyOf, bool, int64, message, nested, repeated, required, string } from '../wire.ts';

/** Source: mlflow/protos/model_registry.proto; required fields as mlflow/server/handlers.py checks them. */

const tags = repeated(nested(message({ key: string, value: string })));

export const createModelMessage = message({ name: required(string), tags, description: string });
export const renameModelMessage = message({ name: required(string), new_name: required(string) });
export const updateModelMessage = message({ name: required(string), description: string });
export const nameMessage = message({ name: required(string) });
export const searchMessage = message({
  filter: string,
  max_results: int64,
  order_by: repeated(string),
  page_token: string,
});
export const latestVersionsMessage = message({ name: required(string), stages: repeated(string) });
export const createVersionMessage = message({
  name: required(string),
  source: required(string),
  run_id: string,
  tags,
  run_link: string,
  description: string,
  model_id: string,
});
export const versionMessage = message({ name: required(string), version: required(string) });
/** MLflow checks these two by hand, with other texts. */
export const downloadMessage = message({ name: string, version: string });
export const updateVersionMessage = message({
  name: required(string),
  version: required(string),
  description: string,
});
export const stageMessage = message({
  name: required(string),
  version: required(string),
  stage: required(string),
  archive_existing_versions: bool,
});
export const setModelTagMessage = message({
  name: required(string),
  key: required(string),
  value: string,
});
export const deleteModelTagMessage = message({ name: required(string), key: required(string) });
export const setVersionTagMessage = message({
  name: required(string),
  version: required(string),
  key: required(string),
  value: string,
});
export const deleteVersionTagMessage = message({
  name: required(string),
  version: required(string),
  key: required(string),
});
export const setAliasMessage = message({
  name: required(string),
  alias: required(string),
  version: required(string),
});
export const aliasMessage = message({ name: required(string), alias: required(string) });

export type CreateModel = BodyOf<typeof createModelMessage>;
export type RenameModel = BodyOf<typeof renameModelMessage>;
export type UpdateModel = BodyOf<typeof updateModelMessage>;
export type NameOnly = BodyOf<typeof nameMessage>;
export type SearchBody = BodyOf<typeof searchMessage>;
export type CreateVersion = BodyOf<typeof createVersionMessage>;
export type VersionOnly = BodyOf<typeof versionMessage>;
export type UpdateVersion = BodyOf<typeof updateVersionMessage>;
export type StageBody = BodyOf<typeof stageMessage>;
export type SetModelTag = BodyOf<typeof setModelTagMessage>;
export type DeleteModelTag = BodyOf<typeof deleteModelTagMessage>;
export type SetVersionTag = BodyOf<typeof setVersionTagMessage>;
export type DeleteVersionTag = BodyOf<typeof deleteVersionTagMessage>;
export type SetAlias = BodyOf<typeof setAliasMessage>;
export type AliasOnly = BodyOf<typeof aliasMessage>;
