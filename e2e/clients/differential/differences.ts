/**
 * What may differ from MLflow 3.17.2, and why. Everything that is not said here must be equal:
 * status, error code, message and body. The README of src/protocols/mlflow names the same.
 */
import type { Compared } from './compared.ts';

interface Rule {
  readonly why: string;
  allows(compared: Compared): boolean;
}

const messageOf = (body: unknown): string => {
  const message = (body as { message?: unknown } | null)?.message;
  return typeof message === 'string' ? message : '';
};

/** Texts of which only the beginning is the same, for the reason beside them. */
const beginnings: readonly (readonly [beginning: RegExp, why: string])[] = [
  [
    /^Invalid (?:clause\(s\) in )?filter\b/,
    'sqlparse splits what it cannot read in its own way, and they say so in three',
  ],
  [
    /^Invalid model version source: '.*'\. To use a local path/s,
    'theirs show a relative path below their own directory',
  ],
  [/^Invalid page token/, 'a token is opaque: what is shown of a broken one says nothing'],
  [/^Search filter contained multiple expression/, 'the expression is shown as sqlparse cuts it'],
];

/** An answer without what only ours has: a model version knows its logged model. */
export function comparable(body: unknown): unknown {
  if (Array.isArray(body)) return body.map(comparable);
  if (typeof body !== 'object' || body === null) return body;
  const isVersion = 'current_stage' in body;
  const fields = Object.entries(body).filter(([key]) => !isVersion || key !== 'model_id');
  return Object.fromEntries(fields.map(([key, value]) => [key, comparable(value)]));
}

/** The text without SQL and with the names of Python's sets in order. */
export function essence(message: string): string {
  for (const [beginning] of beginnings) {
    const found = beginning.exec(message);
    if (found !== null) return String(beginning);
  }
  return message
    .replace(
      /\{('[^{}]*')\}/g,
      (_whole, names: string) => `{${names.split(', ').sort().join(', ')}}`,
    )
    .replace(/^Invalid value .{400,} for parameter/s, 'Invalid value … for parameter')
    .replace(/ Error: \([\s\S]*$/, '');
}

const rules: readonly Rule[] = [
  {
    why: 'a fault of theirs (5xx, HTML) is a 400, or the answer that the request asks for',
    allows: ({ theirs, ours }) => theirs.status >= 500 && ours.status < 500,
  },
  {
    why: 'their database refuses and shows its SQL; we refuse in words, or have nothing to refuse',
    allows: ({ theirs, ours }) =>
      theirs.status >= 400 &&
      messageOf(theirs.body).includes('(sqlite3.') &&
      !/ Error: /.test(messageOf(theirs.body)) &&
      ours.status < 500,
  },
  {
    why: 'a value of a wrong type that their schema does not check is dropped, with the fields after it; we refuse it',
    allows: ({ step, ours }) =>
      step.wrongType === true &&
      ours.status === 400 &&
      /Hint: Value was of type|Missing value|It must be an integer between/.test(
        messageOf(ours.body),
      ),
  },
  {
    why: 'pages of less than one result lead nowhere: theirs are empty and have a next page',
    allows: ({ step, ours }) =>
      /(?:registered|logged)-models\/search/.test(step.path) &&
      /max_results/.test(messageOf(ours.body)),
  },
];

/** Searches that we read otherwise, by their path and their request. */
const searches: readonly (readonly [path: RegExp, request: RegExp, why: string])[] = [
  [/logged-models/, /\bstatus\b/, 'their database keeps a number there: READY finds nothing'],
  [
    /logged-models/,
    /"dataset_name":"\w+"(?!,"dataset_digest")/,
    'theirs take a dataset without a digest for one whose digest is NULL, which is none',
  ],
  [
    /logged-models/,
    /= (?:tree|3|NULL|params\.depth|\\"\S+)"|\."|LIKE 'a' LIKE|params\.a-b|"tags\.\\"/,
    'theirs do not look at quotes: what has none passes, and double ones are part of the text',
  ],
  [
    /experiments/,
    / (?:like|ilike|in|not in) /,
    'theirs read these in capitals only, in this search alone',
  ],
  [
    /logged-models/,
    /artifact_location|experiment_id [=!<>]|lifecycle_stage|_timestamp_ms|field_name":"experiment_id/,
    'their filter takes every column of the table; ours those that are documented',
  ],
  [/runs/, /"metrics\."|\\"desc\\"/, 'an order needs a name, and a direction without quotes'],
  [/search/, /\('a' 'b'\)/, 'two texts without a comma are a mistake, not one text'],
  [/search/, /params\. model/, 'white space after the dot is a mistake, not part of the name'],
];

const isMeant = ({ step }: Compared): boolean => {
  const request = JSON.stringify(step.body ?? {}) + decodeURIComponent(step.path);
  return searches.some(([path, text]) => path.test(step.path) && text.test(request));
};

/** Why a difference is meant; undefined when it is not. */
export function reasonFor(compared: Compared): string | undefined {
  if (/\/search/.test(compared.step.path) && isMeant(compared)) return 'a search read otherwise';
  return rules.find((rule) => rule.allows(compared))?.why;
}
