import { z } from 'zod';
import type { Json } from '../base/json.ts';
import type { EntityKind } from '../facts/kinds.ts';
import { entityKinds } from '../facts/kinds.ts';
import { type Known, knownLevels, type Relation, relations } from '../facts/relations.ts';

/** A JSON value of any shape, as attributes hold it. It was read from JSON, so nothing is checked. */
export const jsonValueSchema = z.unknown() as unknown as z.ZodType<Json>;

/** An entity kind of `facts/kinds`. */
export const kindSchema = z.enum(Object.keys(entityKinds) as [EntityKind, ...EntityKind[]]);

/** A relation of `facts/relations`. */
export const relationSchema = z.enum(Object.keys(relations) as [Relation, ...Relation[]]);

/** How an edge is known, strongest first. */
export const knownSchema = z.enum(knownLevels as unknown as [Known, ...Known[]]);

/** A whole ref. */
export const refSchema = z
  .string()
  .describe('A whole ref: kind:namespace/name[@version][~n][#field].');

/** A time in answers: RFC 3339, UTC, milliseconds. */
export const timeSchema = z.iso.datetime({ offset: true }).describe('RFC 3339 time, UTC.');

/** Position of an entry in the ledger, counted from 0. */
export const positionSchema = z.int().min(0).describe('Position of an entry in the ledger.');

/** One thing of the answer. `attributes.sameAs` lists the identities that were joined with it. */
export const answerNodeSchema = z
  .object({
    ref: refSchema,
    id: z.string().describe('Immutable public id: it stays when the name changes.'),
    kind: kindSchema,
    name: z.string(),
    attributes: z.record(z.string(), jsonValueSchema),
  })
  .meta({ id: 'AnswerNode' });
export type AnswerNode = z.infer<typeof answerNodeSchema>;

/** Another name of the node, and how it was found to be the same: an entry of `attributes.sameAs`. */
export const sameAsSchema = z
  .object({
    ref: refSchema,
    rule: z.string(),
    position: positionSchema,
    validFrom: timeSchema.optional().describe('Since when they are the same, if not always.'),
    validTo: timeSchema
      .optional()
      .describe('Until when they were the same; absent while they are.'),
  })
  .meta({ id: 'SameAs' });
export type SameAs = z.infer<typeof sameAsSchema>;

/** One link of the answer, along the flow of data: `from` is the cause, `to` the effect. */
export const answerEdgeSchema = z
  .object({
    from: refSchema,
    to: refSchema,
    relation: relationSchema,
    role: z.string().optional().describe('For example train, validation, test, label, reference.'),
    run: refSchema.optional().describe('The run (or declaring job) in which a column was derived.'),
    how: z
      .string()
      .optional()
      .describe('How a column was made of another, for example DIRECT/AGGREGATION.'),
    known: knownSchema,
    rule: z.string().optional().describe('The rule or protocol field that told of it.'),
    positions: z
      .array(positionSchema)
      .describe('Entries that this link stands on; proofs are made against the checkpoint.'),
    recordedFrom: timeSchema.describe('When this server first recorded it.'),
    validFrom: timeSchema.describe('Since when it was true.'),
    validTo: timeSchema.optional().describe('Until when it was true; absent while it is.'),
  })
  .meta({ id: 'AnswerEdge' });
export type AnswerEdge = z.infer<typeof answerEdgeSchema>;

/** Things that are counted, not listed: predictions and other large fan-outs. */
export const answerCountSchema = z
  .object({
    ref: refSchema.describe('What they hang on, for example the deployment that served them.'),
    kind: kindSchema,
    count: z.int().min(0),
  })
  .meta({ id: 'AnswerCount' });
export type AnswerCount = z.infer<typeof answerCountSchema>;

/** How many different things `counts` are of: one may hang on several refs. */
export const answerTotalSchema = z
  .object({ kind: kindSchema, count: z.int().min(0) })
  .meta({ id: 'AnswerTotal' });
export type AnswerTotal = z.infer<typeof answerTotalSchema>;

/** Why a walk went no further. */
export const stopReasonSchema = z.enum(['depth', 'nodes', 'hub', 'permission']);
export type StopReason = z.infer<typeof stopReasonSchema>;

/** Where the walk stopped and how many links it left unwalked there. */
export const answerStopSchema = z
  .object({ ref: refSchema, reason: stopReasonSchema, count: z.int().min(0) })
  .meta({ id: 'AnswerStop' });
export type AnswerStop = z.infer<typeof answerStopSchema>;

/** A link that a full lineage should have and this one has not. */
export const missingLinkSchema = z
  .object({ ref: refSchema, what: z.string().describe('For example "code commit".') })
  .meta({ id: 'MissingLink' });
export type MissingLink = z.infer<typeof missingLinkSchema>;

/** Why a score says nothing. */
export const notJudgedSchema = z
  .enum(['nothing', 'stopped'])
  .describe(
    'nothing: nothing of it can be judged. stopped: the walk was cut off by depth or number of nodes.',
  );

/** How much of a full lineage is there: 1 is all of it. */
export const completenessSummarySchema = z
  .object({
    score: z
      .number()
      .min(0)
      .max(1)
      .describe('0 where it was not judged; 1 of an answer downstream.'),
    missing: z.array(missingLinkSchema),
    notJudged: notJudgedSchema.optional(),
  })
  .meta({ id: 'CompletenessSummary' });
export type CompletenessSummary = z.infer<typeof completenessSummarySchema>;

/** Size and root hash of the ledger at the time of the answer, with the signed note where there is one. */
export const checkpointSchema = z
  .object({
    origin: z.string().describe('Name of the log.'),
    size: z.int().min(0).describe('Entries in the tree.'),
    root: z.string().describe('Root hash of the tree, base64.'),
    note: z.string().optional().describe('Signed checkpoint (C2SP signed-note).'),
  })
  .meta({ id: 'Checkpoint' });
export type Checkpoint = z.infer<typeof checkpointSchema>;

/** Upstream (where does it come from) or downstream (what did it reach). */
export const directionSchema = z.enum(['upstream', 'downstream']);
export type Direction = z.infer<typeof directionSchema>;

/** What an answer was asked with, so that it can be asked for again: limits are left out where they are the usual ones. */
export const askedSchema = z
  .object({
    time: timeSchema.describe(
      'The present of the answer: when it was asked; with asOf its recorded time.',
    ),
    depth: z.int().min(0).optional(),
    nodes: z.int().min(0).optional(),
    columns: z.boolean().optional(),
    kinds: z.array(kindSchema).optional(),
    reach: z.array(z.string()).optional().describe('Workspaces of the key; all when absent.'),
  })
  .meta({ id: 'Asked' });
export type AskedWith = z.infer<typeof askedSchema>;

/** The one shape of trace and impact (DESIGN.md section 6). */
export const answerSchema = z
  .object({
    ref: refSchema,
    direction: directionSchema,
    asOf: z
      .object({ position: z.int().min(-1), recordedTime: timeSchema.nullable() })
      .describe('What had been recorded; position -1 is the empty ledger.'),
    at: timeSchema.nullable().describe('What was true at this time; null is now.'),
    nodes: z.array(answerNodeSchema),
    edges: z.array(answerEdgeSchema),
    counts: z.array(answerCountSchema),
    totals: z
      .array(answerTotalSchema)
      .optional()
      .describe(
        'Of each kind in `counts`, how many different ones; absent where nothing is counted.',
      ),
    stopped: z.array(answerStopSchema),
    completeness: completenessSummarySchema,
    asked: askedSchema.optional(),
    checkpoint: checkpointSchema.nullable(),
  })
  .meta({ id: 'Answer' });
export type Answer = z.infer<typeof answerSchema>;

/** The moment that a question is about: what had been recorded, and what was true; now when absent. */
export interface MomentInput {
  /** What was recorded: a position, or a time of recording in ms since 1970. */
  readonly asOf?: { readonly position: number } | { readonly recordedTime: number } | undefined;
  /** What was true at this time, ms since 1970. */
  readonly at?: number | undefined;
}

/** What trace and impact are asked with, after reading it off a URL or a command line. */
export interface WalkInput extends MomentInput {
  /** Whole or short ref. */
  readonly ref: string;
  /** Links walked from the ref at most. */
  readonly depth?: number | undefined;
  /** Nodes returned at most. */
  readonly nodes?: number | undefined;
  /** Also walk columns. */
  readonly columns?: boolean | undefined;
  /** Kinds to return; all when absent. The walk passes through the others. */
  readonly kinds?: readonly EntityKind[] | undefined;
}
