import { z } from 'zod';
import type { JsonObject } from '../../base/json.ts';
import { limits } from '../../base/limits.ts';
import {
  deploymentEndSchema,
  deploymentRecordSchema,
  outcomeRecordSchema,
  statementRecordSchema,
} from '../../contract/records.ts';
import { invalidRecord, measure, type NamedVersion, timeOf } from './check.ts';

/** Members that a record may leave out, or send as null. */
type Maybe<T> = T | null | undefined;
type Moment = Maybe<string | number>;

export interface OutcomeMessage {
  readonly id?: Maybe<string>;
  readonly prediction: string;
  readonly type: 'truth' | 'correction' | 'override';
  readonly by?: Maybe<string>;
  readonly time?: Moment;
}

export interface DeploymentMessage {
  readonly name: string;
  readonly modelVersion?: Maybe<NamedVersion>;
  readonly model?: Maybe<string>;
  readonly version?: Maybe<string | number>;
  readonly alias?: Maybe<string>;
  readonly environment?: Maybe<string>;
  readonly endpoint?: Maybe<string>;
  readonly imageDigest?: Maybe<string>;
  readonly configuration?: Maybe<JsonObject>;
  readonly from?: Moment;
  readonly until?: Moment;
  readonly by?: Maybe<string>;
  readonly featureViews?: Maybe<readonly unknown[]>;
}

export interface EndMessage {
  readonly until?: Moment;
  readonly by?: Maybe<string>;
  readonly reason?: Maybe<string>;
}

export interface StatementMessage {
  readonly id?: Maybe<string>;
  readonly ref: string;
  readonly type: string;
  readonly text?: Maybe<string>;
  readonly value?: Maybe<JsonObject>;
  readonly author?: Maybe<string>;
  readonly validFrom?: Moment;
  readonly validTo?: Moment;
  readonly supersedes?: Maybe<string>;
}

const versionedDeployment = deploymentRecordSchema.extend({
  version: z.union([z.string(), z.int()]).optional(),
  modelVersion: z
    .union([
      z.string(),
      z.object({
        model: z.string(),
        version: z.union([z.string(), z.int()]).optional(),
        alias: z.string().optional(),
      }),
    ])
    .optional(),
});
const identifiedStatement = statementRecordSchema.extend({
  id: z.string().min(1).max(limits.idCharactersMax).optional(),
  type: z.string().min(1).max(limits.idCharactersMax),
});

interface Kind {
  readonly what: string;
  readonly schema: z.ZodObject;
  readonly moments: readonly string[];
}

/** Checks a record by its schema; what is returned is what was sent, unknown members and all. */
function check({ what, schema, moments }: Kind, value: unknown, index: number): unknown {
  const depth = measure(value);
  if (typeof depth === 'string') throw invalidRecord(what, index, depth);
  const present =
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).filter(([, member]) => member !== null))
      : value;
  const result = schema.safeParse(present);
  if (!result.success) {
    const wrong = result.error.issues.map(({ path, message }) =>
      path.length === 0 ? message : `"${path.join('.')}": ${message}`,
    );
    throw invalidRecord(what, index, `${wrong.join('; ')}.`);
  }
  for (const name of moments) {
    const moment = result.data[name];
    if (typeof moment === 'string' || typeof moment === 'number') timeOf(moment, name);
  }
  return value;
}

/** @throws invalid_message, naming the index and what is wrong. */
export function checkOutcome(value: unknown, index: number): OutcomeMessage {
  const kind = { what: 'Outcome', schema: outcomeRecordSchema, moments: ['time'] };
  // Checked by the schema, of whose output the interface names a part.
  return check(kind, value, index) as OutcomeMessage;
}

/** @throws invalid_message saying what is wrong. */
export function checkDeployment(value: unknown): DeploymentMessage {
  const kind = { what: 'Deployment', schema: versionedDeployment, moments: ['from', 'until'] };
  // As above.
  return check(kind, value, 0) as DeploymentMessage;
}

/** @throws invalid_message saying what is wrong. */
export function checkEnd(value: unknown): EndMessage {
  const kind = { what: 'End', schema: deploymentEndSchema, moments: ['until'] };
  // As above.
  return check(kind, value, 0) as EndMessage;
}

/** @throws invalid_message, naming the index and what is wrong. */
export function checkStatement(value: unknown, index: number): StatementMessage {
  const moments = ['validFrom', 'validTo'];
  const kind = { what: 'Statement', schema: identifiedStatement, moments };
  // As above.
  return check(kind, value, index) as StatementMessage;
}
