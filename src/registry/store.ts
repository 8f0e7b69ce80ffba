import type { Awaitable } from '../base/awaitable.ts';
import type { JsonObject } from '../base/json.ts';
import type { ModelTag } from '../facts/registry-facts.ts';

/** A registered model. `key` is a surrogate of this store: it never leaves the server. */
export interface ModelRow {
  readonly key: number;
  readonly workspace: string;
  readonly name: string;
  /** Which of the models that ever had this name. */
  readonly generation: number;
  readonly description: string | null;
  readonly createdTime: number;
  readonly updatedTime: number;
  /** How many versions were ever made: numbers are never handed out twice. */
  readonly versionCount: number;
  /** Time of the newest change of what is said about it and its versions. */
  readonly changedTime: number;
  readonly deletedTime: number | null;
}

/** A version of a registered model. */
export interface VersionRow {
  readonly key: number;
  readonly model: number;
  readonly name: string;
  readonly generation: number;
  readonly version: number;
  readonly description: string | null;
  readonly stage: string;
  readonly source: string;
  readonly storageLocation: string;
  readonly runId: string | null;
  readonly runLink: string | null;
  readonly modelId: string | null;
  readonly createdTime: number;
  readonly updatedTime: number;
  readonly deletedTime: number | null;
}

/** One use of a name by a model, from its creation (or rename) to its deletion (or rename). */
export interface NameUse {
  readonly model: number;
  readonly generation: number;
  readonly fromTime: number;
  /** Null while the model still has the name. */
  readonly toTime: number | null;
}

/** A tag with the surrogate of its version. */
export interface VersionTagRow extends ModelTag {
  readonly owner: number;
}

export interface AliasRow {
  readonly alias: string;
  readonly version: number;
}

/** One time that an alias pointed at a version. */
export interface AliasUse {
  readonly version: number;
  readonly fromTime: number;
  readonly toTime: number | null;
}

/** A model version running somewhere over an interval. Ref: `deployment:workspace/name@number`. */
export interface DeploymentRow {
  readonly workspace: string;
  readonly name: string;
  readonly number: number;
  /** Whole ref, as the version was called when it was deployed. */
  readonly modelVersion: string;
  readonly from: number;
  readonly until: number | null;
  readonly attributes: JsonObject;
}

/** One comparison of a search; all of a search must hold. A tag that is absent matches nothing. */
export interface RegistryCondition {
  /** `tag`, or a column: name, version_number, run_id, source_path. */
  readonly entity: 'attribute' | 'tag';
  readonly key: string;
  readonly operator: '=' | '!=' | '<' | '<=' | '>' | '>=' | 'LIKE' | 'ILIKE' | 'IN' | 'NOT IN';
  readonly value: string | number | readonly string[];
}

export interface RegistryOrder {
  readonly key: 'name' | 'version_number' | 'creation_timestamp' | 'last_updated_timestamp';
  readonly ascending: boolean;
}

export interface RegistrySearch {
  readonly workspace: string;
  readonly conditions: readonly RegistryCondition[];
  readonly orders: readonly RegistryOrder[];
  readonly limit: number;
  readonly offset: number;
  /** MLflow keeps prompts as registered models: only these, or all but these. */
  readonly prompts: boolean;
}

/** What may look at every model: where these are many, on a thread that holds up no write. */
export interface RegistrySearches {
  /** Keys of the models found, in order. */
  searchModels(search: RegistrySearch): Promise<number[]>;
  /** Keys of the versions found, in order. */
  searchVersions(search: RegistrySearch): Promise<number[]>;
}

/** Queries of the registry. Deleted models and versions are found only where it says so. */
export interface RegistryReader {
  findModel(workspace: string, name: string): Awaitable<ModelRow | undefined>;
  /** By surrogate, also deleted ones. */
  findModelByKey(key: number): Awaitable<ModelRow | undefined>;
  findVersion(workspace: string, name: string, version: number): Awaitable<VersionRow | undefined>;
  /** Of a model by surrogate; also deleted ones. */
  findVersionOfModel(model: number, version: number): Awaitable<VersionRow | undefined>;
  findVersionByAlias(
    workspace: string,
    name: string,
    alias: string,
  ): Awaitable<VersionRow | undefined>;
  /** Every use of the name by any model, oldest first. */
  listNameUses(workspace: string, name: string): Awaitable<NameUse[]>;
  /** How many models ever had the name: the generation of the newest. */
  countNameUses(workspace: string, name: string): Awaitable<number>;
  /** Times that the alias pointed somewhere, oldest first. */
  listAliasUses(model: number, alias: string): Awaitable<AliasUse[]>;
  listAliases(model: number): Awaitable<AliasRow[]>;
  listModelTags(model: number): Awaitable<ModelTag[]>;
  findModelTag(model: number, key: string): Awaitable<string | undefined>;
  listVersionTags(version: number): Awaitable<ModelTag[]>;
  /** Of many versions, by surrogate. */
  listTagsOfVersions(versions: readonly number[]): Awaitable<VersionTagRow[]>;
  findVersionTag(version: number, key: string): Awaitable<string | undefined>;
  /** The newest version of each stage, in the order in which the stages' first versions were made. */
  listLatestVersions(model: number): Awaitable<VersionRow[]>;
  /** Versions that are not deleted, newest number first. */
  listVersions(model: number, limit: number): Awaitable<VersionRow[]>;
  listVersionsInStage(model: number, stage: string): Awaitable<VersionRow[]>;
  /** Keys of the models found, in order. */
  searchModels(search: RegistrySearch): Awaitable<number[]>;
  /** Keys of the versions found, in order. */
  searchVersions(search: RegistrySearch): Awaitable<number[]>;
  /** The same where an index gives the page at once; undefined where many may have to be looked at. */
  searchModelsQuickly(search: RegistrySearch): Awaitable<number[] | undefined>;
  searchVersionsQuickly(search: RegistrySearch): Awaitable<number[] | undefined>;
  /** In the order of the keys. */
  getModels(keys: readonly number[]): Awaitable<ModelRow[]>;
  /** In the order of the keys. */
  getVersions(keys: readonly number[]): Awaitable<VersionRow[]>;
  /** The deployment of that name which was active at a time, ms. */
  findDeployment(workspace: string, name: string, at: number): Awaitable<DeploymentRow | undefined>;
  findDeploymentByNumber(
    workspace: string,
    name: string,
    number: number,
  ): Awaitable<DeploymentRow | undefined>;
  /** Of one name (or all), newest first. */
  listDeployments(
    workspace: string,
    options: { readonly name?: string | undefined; readonly limit: number },
  ): Awaitable<DeploymentRow[]>;
}

/** What a new version starts with. */
export interface NewVersion {
  readonly model: number;
  readonly version: number;
  readonly description: string | null;
  readonly source: string;
  readonly storageLocation: string;
  readonly runId: string | null;
  readonly runLink: string | null;
  readonly modelId: string | null;
  readonly stage: string;
  readonly time: number;
  readonly updatedTime: number;
  readonly deletedTime: number | null;
  /** The model counts as changed by it. */
  readonly touches: boolean;
}

/** Writes of the projection. `time` is the recorded time, ms. */
export interface RegistryStore extends RegistryReader {
  /** The model that had this use of the name. Throws a plain error when there is none: a broken invariant. */
  modelKey(workspace: string, name: string, generation: number): Awaitable<number>;
  versionKey(model: number, version: number): Awaitable<number>;
  /** @returns its key. */
  addModel(model: {
    readonly workspace: string;
    readonly name: string;
    readonly generation: number;
    readonly description: string | null;
    readonly time: number;
    readonly updatedTime: number;
  }): Awaitable<number>;
  updateModel(model: number, description: string, time: number): Awaitable<void>;
  touchModel(model: number, time: number): Awaitable<void>;
  /** Notes when the newest change of what is said about the model and its versions happened. */
  noteChange(model: number, time: number): Awaitable<void>;
  renameModel(
    model: number,
    to: { name: string; generation: number },
    time: number,
  ): Awaitable<void>;
  deleteModel(model: number, time: number): Awaitable<void>;
  putModelTag(model: number, tag: ModelTag): Awaitable<void>;
  removeModelTag(model: number, key: string): Awaitable<void>;
  addVersion(version: NewVersion, tags: readonly ModelTag[]): Awaitable<void>;
  updateVersion(version: number, description: string | null, time: number): Awaitable<void>;
  stageVersion(version: number, stage: string, time: number): Awaitable<void>;
  deleteVersion(version: number, time: number): Awaitable<void>;
  putVersionTag(version: number, tag: ModelTag): Awaitable<void>;
  removeVersionTag(version: number, key: string): Awaitable<void>;
  putAlias(model: number, alias: string, version: number, time: number): Awaitable<void>;
  removeAlias(model: number, alias: string, time: number): Awaitable<void>;
  addDeployment(deployment: DeploymentRow): Awaitable<void>;
  endDeployment(workspace: string, name: string, number: number, until: number): Awaitable<void>;
  /** Forgets cached keys, after a batch was rolled back. */
  reset(): void;
}
