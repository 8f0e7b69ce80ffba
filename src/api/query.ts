import { z } from 'zod';
import { WherefromError } from '../base/errors.ts';
import { limits } from '../base/limits.ts';
import { kindSchema, type MomentInput } from '../contract/answer.ts';
import { readAsOf, readTime } from '../contract/moment.ts';

const refSchema = z
  .string()
  .min(1)
  .max(limits.refCharactersMax)
  .describe(
    'Whole or short: a prediction id, a run id or its beginning, credit-risk@3, credit-risk@champion, a name, a path, path#column.',
  );

const digits = /^\d{1,15}$/;
const toNumber = (value: unknown): unknown =>
  typeof value === 'string' && digits.test(value) ? Number(value) : value;
const toBoolean = (value: unknown): unknown =>
  value === 'true' || value === '1' || value === ''
    ? true
    : value === 'false' || value === '0'
      ? false
      : value;
const toList = (value: unknown): unknown => (typeof value === 'string' ? value.split(',') : value);

const numberSchema = z.preprocess(toNumber, z.int().min(0));

function countSchema(max: number, initial: number, what: string) {
  return z
    .preprocess(toNumber, z.int().min(0).max(max))
    .optional()
    .describe(`${what}; ${initial} when absent, ${max} at most.`);
}

/** The moment that a question is about. */
const momentShape = {
  asOf: z
    .string()
    .optional()
    .describe('What had been recorded: a position, or an RFC 3339 time of recording.'),
  at: z
    .string()
    .optional()
    .describe('What was true: an RFC 3339 time, a date, a year (four digits), or ms since 1970.'),
};

/** Query of trace and impact. */
export const walkQuerySchema = z.strictObject({
  ref: refSchema,
  depth: countSchema(limits.depthMax, limits.depthDefault, 'Links walked at most'),
  nodes: countSchema(limits.nodesMax, limits.nodesDefault, 'Nodes returned at most'),
  columns: z.preprocess(toBoolean, z.boolean()).optional().describe('Also walk columns.'),
  ...momentShape,
  kinds: z
    .preprocess(toList, z.array(kindSchema))
    .optional()
    .describe('Kinds to return, separated by commas; all when absent.'),
});

/** Query of completeness. */
export const completenessQuerySchema = z.strictObject({ ref: refSchema, ...momentShape });

/** Query of resolve. */
export const refQuerySchema = z.strictObject({ ref: refSchema });

/** Query of diff. */
export const diffQuerySchema = z.strictObject({
  a: refSchema.describe('One side: a run, version or prediction, whole or short.'),
  b: refSchema.describe('The other side.'),
  ...momentShape,
});

/** Query of search. */
export const searchQuerySchema = z.strictObject({
  q: z.string().min(1).max(limits.refCharactersMax).describe('The beginning of a name.'),
  limit: countSchema(limits.candidatesMax, limits.candidatesMax, 'Results'),
});

/** Path of a receipt. */
export const receiptParamsSchema = z.strictObject({
  position: numberSchema.describe('Position of the entry in the ledger.'),
  index: numberSchema.describe('Place of the message in the entry, from 0.'),
});

/** Reads a query or path. @throws invalid_message that names each wrong parameter. */
export function readQuery<Schema extends z.ZodObject>(
  schema: Schema,
  query: unknown,
): z.output<Schema> {
  const result = schema.safeParse(query);
  if (result.success) return result.data;
  const wrong = result.error.issues.map(({ path, message }) =>
    path.length === 0 ? message : `"${path.join('.')}": ${message}`,
  );
  throw new WherefromError(
    'invalid_message',
    `The request cannot be answered: ${wrong.join('; ')}.`,
    {
      hint: `It takes ${Object.keys(schema.shape).join(', ')}.`,
    },
  );
}

/** A moment as a query names it. */
interface MomentTexts {
  readonly asOf?: string | undefined;
  readonly at?: string | undefined;
}

/** The question behind a query: its moment is read. @throws invalid_message. */
export function inputOf<Query extends MomentTexts>({
  asOf,
  at,
  ...rest
}: Query): Omit<Query, keyof MomentTexts> & MomentInput {
  return {
    ...rest,
    asOf: asOf === undefined ? undefined : readAsOf(asOf),
    at: at === undefined ? undefined : readTime(at, 'at'),
  };
}
