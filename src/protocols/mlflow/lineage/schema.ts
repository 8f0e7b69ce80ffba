import { isObject, text } from '../../../base/json.ts';

/** A column or tensor of a schema. */
export interface SchemaField {
  readonly name: string;
  readonly type: string;
}

function parse(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  try {
    return JSON.parse(value);
  } catch {
    return undefined;
  }
}

function typeOf(field: Record<string, unknown>): string {
  const tensor = field['tensor-spec'];
  if (isObject(tensor)) return `tensor(${String(tensor.dtype)})`;
  return text(field.type) ?? JSON.stringify(field.type ?? 'unknown');
}

function fieldsOf(value: unknown, prefix: string): SchemaField[] {
  const read = parse(value);
  if (Array.isArray(read)) {
    return read.filter(isObject).map((field, index) => ({
      name: text(field.name) ?? `${prefix}${index}`,
      type: typeOf(field),
    }));
  }
  if (!isObject(read)) return [];
  const parts: unknown[] = ['mlflow_colspec', 'mlflow_tensorspec', 'features', 'targets'];
  return parts.flatMap((part) =>
    typeof part === 'string' && part in read
      ? fieldsOf(read[part], part === 'targets' ? 'target' : prefix)
      : [],
  );
}

/**
 * The columns of an MLflow schema (`mlflow_colspec`, `mlflow_tensorspec`, or features and targets),
 * or of a model's signature (a list in JSON). Unnamed ones are numbered.
 */
export function schemaFields(schema: unknown): SchemaField[] {
  return fieldsOf(schema, 'column').slice(0, 10_000);
}
