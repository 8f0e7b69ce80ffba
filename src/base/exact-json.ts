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

/** Before the three numbers of Python that JSON does not know, while they are text. */
const odd = '\u0000number:';
const oddOrText = /"(?:[^"\\]|\\.)*"|NaN|-?Infinity/gs;
const oddText = /"\\u0000number:(NaN|-?Infinity)"/g;

/**
 * Reads JSON so that `writeExact` writes every number as it was: records of other people keep their
 * `1.0`, their integers beyond 2^53, and the NaN and Infinity that Python's json writes.
 * @throws SyntaxError as JSON.parse does.
 */
export function parseExact(text: string): unknown {
  const json = /NaN|Infinity/.test(text)
    ? text.replace(oddOrText, (part) => (part.startsWith('"') ? part : JSON.stringify(odd + part)))
    : text;
  return exact.parse(json, (_key, value, { source }) =>
    typeof value === 'number' && source !== undefined && String(value) !== source
      ? exact.rawJSON(source)
      : value,
  );
}

/** The text of what `parseExact` read; no JSON where there is a NaN or Infinity. */
export function writeExact(value: unknown): string {
  return JSON.stringify(value).replace(oddText, '$1');
}

/** The text of a number that `parseExact` read; undefined for anything else. */
export function numberText(value: unknown): string | undefined {
  if (typeof value === 'number') return String(value);
  if (typeof value === 'string' && value.startsWith(odd)) return value.slice(odd.length);
  return exact.isRawJSON(value) ? value.rawJSON : undefined;
}

/** JSON text with sorted keys, the same for two values that differ only in the order of keys. */
export function sortedJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(sortedJson).join(',')}]`;
  if (typeof value !== 'object' || value === null || exact.isRawJSON(value)) {
    return writeExact(value ?? null);
  }
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([key, item]) => `${JSON.stringify(key)}:${sortedJson(item)}`).join(',')}}`;
}
