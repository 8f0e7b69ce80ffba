import { isObject, list } from '../../../base/json.ts';
import { readMessage } from '../wire.ts';
import { type ImportVersion, modelMessage, versionMessage } from './messages.ts';
import type { RestClient } from './rest-client.ts';
import { searchPages } from './rest-search.ts';
import type { SourceModel } from './source.ts';
import { withModelId } from './sqlite-models.ts';

const pageMax = 1_000;

/** What logged models told: which versions were made of them, and where their files are. */
export interface LoggedModelKnowledge {
  readonly registrations: ReadonlyMap<string, string>;
  readonly locations: ReadonlyMap<string, string>;
  /** Gets the versions of prompts, as `name/version`. */
  readonly prompts: string[];
}

/** Registered models, then prompts, which a search leaves out unless it asks for them. */
export async function* readRestModels(
  client: RestClient,
  known: LoggedModelKnowledge,
): AsyncIterable<SourceModel> {
  for (const prompts of [false, true]) {
    const body = {
      max_results: pageMax,
      ...(prompts ? { filter: "tags.`mlflow.prompt.is_prompt` = 'true'" } : {}),
    };
    const search = { body, items: 'registered_models', get: true };
    for await (const page of searchPages(client, 'registered-models/search', search)) {
      for (const said of page) {
        const model = readMessage(modelMessage, said);
        const versions = await readVersions(client, model.name, prompts);
        if (prompts)
          known.prompts.push(...versions.map(({ version }) => `${model.name}/${version}`));
        const aliases = list(said.aliases)
          .filter(isObject)
          .map(({ alias, version }) => ({
            name: model.name,
            alias: String(alias),
            version: String(version),
          }));
        yield { model, versions: versions.map((each) => located(each, known)), aliases };
      }
    }
  }
}

async function readVersions(
  client: RestClient,
  name: string,
  prompts: boolean,
): Promise<ImportVersion[]> {
  const quoted = name.includes("'") ? `"${name}"` : `'${name}'`;
  const filter = `name = ${quoted}${prompts ? " AND tags.`mlflow.prompt.is_prompt` = 'true'" : ''}`;
  const search = { body: { filter, max_results: pageMax }, items: 'model_versions', get: true };
  const found: ImportVersion[] = [];
  for await (const page of searchPages(client, 'model-versions/search', search))
    found.push(...page.map((each) => readMessage(versionMessage, each)));
  return found.sort((a, b) => a.version - b.version);
}

/** With the logged model that it was made of, and where that one's files are. */
function located(sent: ImportVersion, known: LoggedModelKnowledge): ImportVersion {
  const version = withModelId(sent, known.registrations);
  const isModel = /^models:\/+m-/.test(version.source ?? '');
  const location = isModel ? known.locations.get(version.model_id ?? '') : undefined;
  return location === undefined ? version : { ...version, storage_location: location };
}
