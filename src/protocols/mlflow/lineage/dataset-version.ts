import { sha256Hex } from '../../../base/digest.ts';
import type { TrackedDataset } from '../../../facts/tracking-facts.ts';
import { parseSource } from './dataset-name.ts';
import { hubRevision, isHuggingFace } from './hugging-face.ts';

/** Text as Python's `json.dumps` writes it: ASCII only. */
const pythonJson = (text: string): string =>
  JSON.stringify(text).replace(/[\u007f-\uffff]/g, (unit) =>
    // DEL is ASCII: Python leaves it as it is.
    unit === '\u007f' ? unit : `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

/**
 * True when the digest is one of MLflow's `MetaDataset`: over name, source and schema, and so the
 * same whatever the data are. Source: mlflow/data/meta_dataset.py, `_compute_digest`.
 */
function isOfDescription({ name, digest, source, sourceType, schema }: TrackedDataset): boolean {
  const columns =
    schema === undefined || schema === ''
      ? '""'
      : /^\{"mlflow_colspec": (.*)\}$/s.exec(schema)?.[1];
  if (columns === undefined) return false;
  const parts = [pythonJson(name), pythonJson(source), pythonJson(sourceType)];
  const config = `{"name": ${parts[0]}, "source": ${parts[1]}, "source_type": ${parts[2]}, "schema": ${columns}}`;
  return sha256Hex(config).startsWith(digest) && digest.length === 8;
}

/** The version as the source names it: of a Delta table, a revision on the hub, any `version`. */
function namedVersion({ sourceType, source }: TrackedDataset): string | undefined {
  const said = parseSource(source);
  if (isHuggingFace(sourceType)) return hubRevision(said);
  const version = said.delta_table_version ?? said.version ?? said.snapshot_id;
  if (typeof version === 'number') return String(version);
  return typeof version === 'string' && version !== '' ? version : undefined;
}

/**
 * Which version of its data a dataset is: as its source names it, else by MLflow's digest; undefined
 * when it has a place and that digest says nothing about the data there: then the version is meant
 * that was current.
 */
export function datasetVersion(
  dataset: TrackedDataset,
  { hasPlace }: { readonly hasPlace: boolean },
): string | undefined {
  const named = namedVersion(dataset);
  if (named !== undefined) return named;
  if (dataset.digest === '' || (hasPlace && isOfDescription(dataset))) return undefined;
  return `mlflow-${dataset.digest}`;
}
