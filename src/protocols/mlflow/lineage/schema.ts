import { isObject, list, text } from '../../../base/json.ts';

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

/** Types may nest without end; a reader wants the first few levels. */
const typeDepthMax = 5;

/** `long`, `array<double>`, `object<k: long>`, `map<string>`, `tensor(float64)[-1,4]`. */
function typeOf(field: unknown, depth = 0): string {
  if (!isObject(field)) return text(field) ?? 'unknown';
  if (depth >= typeDepthMax) return '…';
  const tensor = field['tensor-spec'];
  if (isObject(tensor)) {
    const shape = list(tensor.shape).map(Number).join(',');
    return `tensor(${String(tensor.dtype)})${shape === '' ? '' : `[${shape}]`}`;
  }
  const type = text(field.type) ?? 'unknown';
  if (type === 'array') return `array<${typeOf(field.items, depth + 1)}>`;
  if (type === 'map') return `map<${typeOf(field.values, depth + 1)}>`;
  if (type !== 'object' || !isObject(field.properties)) return type;
  const inner = Object.entries(field.properties).map(
    ([name, property]) => `${name}: ${typeOf(property, depth + 1)}`,
  );
  return `object<${inner.join(', ')}>`;
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
