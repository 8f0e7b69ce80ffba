/** A number as it was written, where a double would lose or change it: `1.0`, `2^60`. */
interface ExactNumber {
  readonly rawJSON: string;
}

// Node has these since version 21; the library that the compiler knows does not name them yet.
const exact = JSON as unknown as {
  parse(
    text: string,
    reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown,
  ): unknown;
  rawJSON(text: string): ExactNumber;
  isRawJSON(value: unknown): value is ExactNumber;
};

/**
 * Reads JSON so that JSON.stringify writes every number as it was: records of other people keep
 * their `1.0` and their integers beyond 2^53.
 * @throws SyntaxError as JSON.parse does.
 */
export function parseExact(text: string): unknown {
  return exact.parse(text, (_key, value, { source }) =>
    typeof value === 'number' && source !== undefined && String(value) !== source
      ? exact.rawJSON(source)
      : value,
  );
}

/** The text of a number that `parseExact` read; undefined for anything else. */
export function numberText(value: unknown): string | undefined {
  if (typeof value === 'number') return String(value);
  return exact.isRawJSON(value) ? value.rawJSON : undefined;
}

/** JSON text with sorted keys, the same for two values that differ only in the order of keys. */
export function sortedJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(sortedJson).join(',')}]`;
  if (typeof value !== 'object' || value === null || exact.isRawJSON(value)) {
    return JSON.stringify(value) ?? 'null';
  }
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([key, item]) => `${JSON.stringify(key)}:${sortedJson(item)}`).join(',')}}`;
}
