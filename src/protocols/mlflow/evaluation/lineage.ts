import { isObject, type JsonObject } from '../../../base/json.ts';
import { limits } from '../../../base/limits.ts';
import type { EvaluationState } from '../../../facts/evaluation-facts.ts';
import type { Fact, FactContext } from '../../../facts/facts.ts';
import { formatRef } from '../../../facts/ref.ts';
import { datasetNames, evaluationDatasetName } from '../lineage/dataset-name.ts';
import { agentRef } from '../lineage/refs.ts';
import type { SentRecord } from './record-text.ts';

/** The version of an evaluation dataset that a digest names, as runs name it that read it. */
export function versionRef(workspace: string, dataset: string, digest: string): string {
  return formatRef({
    kind: 'datasetVersion',
    ...evaluationDatasetName(workspace, dataset),
    version: `mlflow-${digest}`,
  });
}

/** A person made or changed the dataset. */
export function didFact(
  dataset: string,
  user: string | null,
  { workspace, time }: FactContext,
): Fact[] {
  if (user === null) return [];
  return [
    {
      kind: 'relation.stated',
      relation: 'did',
      from: agentRef(workspace, user),
      to: formatRef({ kind: 'dataset', ...evaluationDatasetName(workspace, dataset) }),
      known: 'observed',
      rule: userRule,
      time,
    },
  ];
}

const userRule = 'mlflow.user';

/** Fields as attributes of a version: `inputs.question` and the like, with MLflow's types. */
export function schemaAttribute(schema: Readonly<Record<string, unknown>>): JsonObject {
  const fields = ['inputs', 'outputs', 'expectations'].flatMap((part) => {
    const types = schema[part];
    if (typeof types === 'string') return [{ name: part, type: types }];
    if (!isObject(types)) return [];
    return Object.entries(types).map(([name, type]) => ({
      name: `${part}.${name}`,
      type: String(type),
    }));
  });
  return fields.length === 0 ? {} : { schema: fields.slice(0, limits.evaluationFieldsMax) };
}

/** Where a record's source is in the graph: a trace, or a document by its place. */
function sourceRef({ source, sourceData }: SentRecord, workspace: string): string | undefined {
  if (source?.type === 'TRACE' && source.id !== null) {
    return formatRef({ kind: 'prediction', namespace: workspace, name: source.id });
  }
  if (source?.type !== 'DOCUMENT') return undefined;
  const { doc_uri, uri, url, path } = sourceData;
  const place = [doc_uri, uri, url, path, source.id].find((each) => typeof each === 'string');
  if (typeof place !== 'string' || place === '') return undefined;
  const [named] = datasetNames(
    { name: place, sourceType: 'document', source: JSON.stringify({ uri: place }) },
    { workspace, experiment: 'documents' },
  );
  return formatRef({ kind: 'dataset', ...named });
}

/** A new version of a dataset: what it goes on from, and where its new records come from. */
export function versionFacts(
  change: {
    readonly dataset: string;
    readonly before: string;
    readonly state: EvaluationState;
    readonly attributes: JsonObject;
    readonly records: readonly SentRecord[];
  },
  { workspace }: FactContext,
): Fact[] {
  const { time, digest } = change.state;
  const version = versionRef(workspace, change.dataset, digest);
  const found = new Set(change.records.flatMap((record) => sourceRef(record, workspace) ?? []));
  const sources = [...found].slice(0, limits.evaluationSourcesMax);
  const omitted = found.size - sources.length;
  const stated = { kind: 'relation.stated', known: 'observed', to: version, time } as const;
  return [
    {
      kind: 'entity.described',
      ref: version,
      time,
      attributes: {
        digest,
        ...change.attributes,
        ...(omitted > 0 ? { sourcesOmitted: omitted } : {}),
      },
    },
    {
      ...stated,
      relation: 'continued-as',
      from: versionRef(workspace, change.dataset, change.before),
      rule: 'mlflow.datasets/records',
    },
    ...sources.map(
      (from): Fact => ({
        ...stated,
        relation: 'derived-into',
        from,
        role: from.startsWith('prediction:') ? 'trace' : 'document',
        rule: 'mlflow.datasets/source',
      }),
    ),
  ];
}
