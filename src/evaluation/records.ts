import { parseExact, writeExact } from '../base/exact-json.ts';
import { isObject } from '../base/json.ts';
import type { EvaluationRecord } from '../facts/evaluation-facts.ts';
import type { EvaluationRecordRow } from './store.ts';

/**
 * A record that was not there before. Without outputs it has empty ones, as in MLflow.
 * Source: mlflow/store/tracking/sqlalchemy_store.py (upsert_dataset_records).
 */
export function newRecord(sent: EvaluationRecord, time: number): EvaluationRecordRow {
  const user = sent.user ?? null;
  return {
    id: sent.id,
    inputDigest: sent.inputDigest,
    inputs: sent.inputs,
    outputs: sent.outputs === undefined ? '{}' : sent.outputs,
    expectations: sent.expectations ?? null,
    tags: sent.tags ?? '{}',
    source: sent.source?.text ?? null,
    sourceId: sent.source?.id ?? null,
    sourceType: sent.source?.type ?? null,
    createdTime: time,
    updatedTime: time,
    createdBy: user,
    updatedBy: user,
    ...sent.origin,
  };
}

/**
 * A record with what was sent again for the same inputs: outputs are replaced, expectations and tags
 * merged by key; inputs and source stay. One that was
 * changed elsewhere says when and by whom.
 * Source: mlflow/store/tracking/dbmodels/models.py (SqlEvaluationDatasetRecord.merge).
 */
export function mergeRecord(
  before: EvaluationRecordRow,
  sent: EvaluationRecord,
  time: number,
): EvaluationRecordRow {
  return {
    ...before,
    outputs: sent.outputs === undefined ? before.outputs : sent.outputs,
    expectations: mergeObjects(before.expectations, sent.expectations),
    tags: mergeObjects(before.tags, sent.tags) ?? '{}',
    updatedTime: sent.origin?.updatedTime ?? time,
    updatedBy: sent.origin?.updatedBy ?? sent.user ?? before.updatedBy,
  };
}

/** Members of the second object over those of the first, both JSON text; an empty one changes nothing. */
function mergeObjects(before: string | null, sent: string | undefined): string | null {
  if (sent === undefined || sent === '{}') return before;
  if (before === null || before === '{}') return sent;
  return writeExact({ ...members(before), ...members(sent) });
}

function members(text: string): Record<string, unknown> {
  const value = parseExact(text);
  return isObject(value) ? value : {};
}
