import { sha256Hex } from '../../../base/digest.ts';
import { numberText, parseExact, sortedJson, writeExact } from '../../../base/exact-json.ts';
import { isObject, text } from '../../../base/json.ts';
import type { Tokenise } from '../../../door/index.ts';
import type { EvaluationRecord, EvaluationSource } from '../../../facts/evaluation-facts.ts';
import { invalidParameter } from '../errors.ts';
import { userTag } from '../operation.ts';
import { readJsonText } from './json-text.ts';

/** A record as it was sent, without the id that the server gives it. */
export type SentRecord = Omit<EvaluationRecord, 'id'> & {
  /** The parts that a schema is made of. */
  readonly parts: {
    readonly inputs: Readonly<Record<string, unknown>>;
    readonly outputs: unknown;
    readonly expectations: Readonly<Record<string, unknown>>;
  };
  readonly sourceData: Readonly<Record<string, unknown>>;
};

const sourceTypes = ['UNSPECIFIED', 'TRACE', 'HUMAN', 'DOCUMENT', 'CODE'];

/** Members of a human source that name the person. */
const personMembers = ['user_name', 'user_id', 'user', 'email', 'annotator', 'source_id'];

function objectOf(
  record: Readonly<Record<string, unknown>>,
  name: string,
): Record<string, unknown> | undefined {
  const value = record[name];
  if (value === undefined || value === null) return undefined;
  if (isObject(value)) return value;
  throw invalidParameter(`The '${name}' of a record must be a JSON object.`);
}

function readSource(sent: Readonly<Record<string, unknown>> | undefined): {
  readonly source?: EvaluationSource;
  readonly sourceData: Record<string, unknown>;
} {
  if (sent === undefined || Object.keys(sent).length === 0) return { sourceData: {} };
  const type = String(sent.source_type ?? '').toUpperCase();
  if (!sourceTypes.includes(type)) {
    const valid = sourceTypes.map((each) => `'${each}'`).join(', ');
    throw invalidParameter(
      `Invalid dataset record source type: ${type.slice(0, 200)}. Valid source types: [${valid}]`,
    );
  }
  const sourceData = objectOf(sent, 'source_data') ?? {};
  const id = text(type === 'TRACE' ? sourceData.trace_id : sourceData.source_id) ?? null;
  const json = writeExact({ source_type: type, source_data: sourceData });
  return { source: { type, id, text: json }, sourceData };
}

function readRecord(record: unknown): SentRecord {
  if (!isObject(record)) throw invalidParameter('Each record must be a dictionary');
  if (record.inputs === null) throw invalidParameter('inputs must be provided');
  const inputs = objectOf(record, 'inputs') ?? {};
  const expectations = objectOf(record, 'expectations');
  const tags = objectOf(record, 'tags');
  const { outputs } = record;
  const sorted = sortedJson(inputs);
  return {
    inputDigest: sha256Hex(sorted).slice(0, 32),
    inputs: writeExact(inputs),
    outputs: outputs === undefined ? undefined : outputs === null ? null : writeExact(outputs),
    expectations: expectations && writeExact(expectations),
    tags: tags && writeExact(tags),
    user: text(tags?.[userTag]),
    ...readSource(objectOf(record, 'source')),
    parts: { inputs, outputs, expectations: expectations ?? {} },
  };
}

/**
 * The records of a message: a JSON list in text.
 * @throws invalid_message where MLflow fails with 500: what is no object where one is needed.
 * Source: mlflow/store/tracking/sqlalchemy_store.py (upsert_dataset_records).
 */
export function readRecords(records: string): SentRecord[] {
  const list = readJsonText(records, 'records');
  if (!Array.isArray(list)) throw invalidParameter("Parameter 'records' must be a JSON list.");
  return list.map(readRecord);
}

function withoutPersons(record: unknown, tokenise: Tokenise): unknown {
  if (!isObject(record)) return record;
  const { tags, source } = record;
  const user = isObject(tags) ? text(tags[userTag]) : undefined;
  const named = user === undefined ? record : { ...record, tags: withTag(tags, tokenise(user)) };
  if (!isObject(source) || !/^human$/i.test(String(source.source_type))) return named;
  if (!isObject(source.source_data)) return named;
  const data = Object.entries(source.source_data).map(([key, value]) => [
    key,
    personMembers.includes(key) && typeof value === 'string' ? tokenise(value) : value,
  ]);
  return { ...named, source: { ...source, source_data: Object.fromEntries(data) } };
}

const withTag = (tags: unknown, value: string): object => ({
  ...(isObject(tags) ? tags : {}),
  [userTag]: value,
});

/** The records with the persons in their tags and sources replaced; the same text when none is named. */
export function tokeniseRecords(records: string, tokenise: Tokenise): string {
  if (!records.includes(userTag) && !/human/i.test(records)) return records;
  let list: unknown;
  try {
    list = parseExact(records);
  } catch {
    return records; // refused when it is decided
  }
  if (!Array.isArray(list)) return records;
  return writeExact(list.map((record) => withoutPersons(record, tokenise)));
}

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  if (typeof value === 'boolean') return 'boolean';
  const number = numberText(value);
  if (number !== undefined) return /^-?\d+$/.test(number) ? 'integer' : 'float';
  if (typeof value === 'string') return 'string';
  return Array.isArray(value) ? 'array' : 'object';
}

function addTypes(types: Map<string, unknown>, members: Readonly<Record<string, unknown>>): void {
  for (const [key, value] of Object.entries(members)) {
    if (!types.has(key)) types.set(key, typeOf(value));
  }
}

const membersOf = (value: unknown): Map<string, unknown> =>
  new Map(isObject(value) ? Object.entries(value) : []);

/**
 * The dataset's schema with the fields that records add: a field keeps its first type.
 * Source: mlflow/store/tracking/sqlalchemy_store.py (_update_dataset_schema).
 */
export function extendSchema(
  before: string | null,
  records: readonly SentRecord[],
): Readonly<Record<string, unknown>> {
  const parsed = before === null ? {} : parseExact(before);
  const schema = isObject(parsed) ? parsed : {};
  const inputs = membersOf(schema.inputs);
  const expectations = membersOf(schema.expectations);
  const outputs = membersOf(schema.outputs);
  // Outputs that are no objects have one type, unless fields came before.
  let plain = typeof schema.outputs === 'string' ? schema.outputs : undefined;
  for (const { parts } of records) {
    addTypes(inputs, parts.inputs);
    addTypes(expectations, parts.expectations);
    if (parts.outputs === undefined || parts.outputs === null || plain !== undefined) continue;
    if (typeOf(parts.outputs) === 'object') addTypes(outputs, membersObject(parts.outputs));
    else if (outputs.size === 0) plain = typeOf(parts.outputs);
  }
  return {
    inputs: Object.fromEntries(inputs),
    outputs: plain ?? Object.fromEntries(outputs),
    expectations: Object.fromEntries(expectations),
    version: '1.0',
  };
}

const membersObject = (value: unknown): Record<string, unknown> => (isObject(value) ? value : {});
