import { z } from 'zod';
import { limits } from '../base/limits.ts';
import { jsonValueSchema } from './answer.ts';
import { receiptSchema } from './status.ts';

const idSchema = z.string().min(1).max(limits.idCharactersMax);
const textSchema = z.string().max(limits.textCharactersMax);
const attributesSchema = z.record(z.string(), jsonValueSchema);
const momentSchema = z
  .union([z.iso.datetime({ offset: true }), z.iso.date(), z.int()])
  .describe(
    'RFC 3339 time, a date (its first moment in UTC), or milliseconds since 1970, from 2000 on.',
  );
const numberSchema = z.union([z.string(), z.int()]);
const modelVersionSchema = z
  .union([
    z.string(),
    z.object({ model: z.string(), version: numberSchema.optional(), alias: z.string().optional() }),
  ])
  .describe(
    'credit-risk@3, credit-risk@champion, a whole ref, {model, version} or {model, alias}.',
  );

/** One answer of a model, as a scoring service records it. Unknown members are kept. */
export const predictionRecordSchema = z
  .looseObject({
    id: idSchema.optional().describe('Made by the server when absent. Sending it again is safe.'),
    time: momentSchema.optional().describe('When it was made; the time of recording when absent.'),
    modelVersion: modelVersionSchema.optional(),
    model: z.string().optional().describe('With version or alias: the model of these.'),
    version: numberSchema.optional(),
    alias: z.string().optional(),
    deployment: z.string().optional().describe('Name or ref of the deployment that served it.'),
    features: attributesSchema.optional(),
    steps: z
      .array(z.looseObject({ name: z.string() }))
      .optional()
      .describe('Transformation steps.'),
    inputDigest: z
      .union([z.string(), z.object({ algorithm: z.string(), value: z.string() })])
      .optional(),
    output: jsonValueSchema.optional(),
    reasonCodes: z.array(jsonValueSchema).optional(),
    decision: jsonValueSchema.optional(),
    subject: z.string().optional().describe('Whom it is about; stored as a random token.'),
    entityKeys: attributesSchema.optional(),
    requestId: z.string().optional(),
    featureViews: z.array(jsonValueSchema).optional(),
    latencyMs: z.number().optional(),
    parents: z.array(z.string()).optional().describe('Predictions that it was made of.'),
  })
  .meta({ id: 'PredictionRecord' });
export type PredictionRecord = z.input<typeof predictionRecordSchema>;

/** What became known about a prediction later. */
export const outcomeRecordSchema = z
  .looseObject({
    id: idSchema.optional(),
    prediction: idSchema.describe('Id of the prediction; it may come later.'),
    type: z.enum(['truth', 'correction', 'override']),
    value: jsonValueSchema.optional(),
    by: z.string().optional().describe('Who said so; stored as a random token.'),
    time: momentSchema.optional(),
    reason: textSchema.optional(),
  })
  .meta({ id: 'OutcomeRecord' });
export type OutcomeRecord = z.input<typeof outcomeRecordSchema>;

/** Where and how a model version runs, over an interval. */
export const deploymentRecordSchema = z
  .looseObject({
    name: idSchema,
    modelVersion: modelVersionSchema.optional(),
    model: z.string().optional(),
    version: numberSchema.optional(),
    alias: z.string().optional(),
    environment: z.string().optional().describe('For example production.'),
    endpoint: z.string().optional(),
    imageDigest: z.string().optional(),
    configuration: attributesSchema.optional(),
    from: momentSchema.optional(),
    until: momentSchema.optional(),
    by: z.string().optional().describe('Who deployed it; stored as a random token.'),
    featureViews: z.array(jsonValueSchema).optional(),
  })
  .meta({ id: 'DeploymentRecord' });
export type DeploymentRecord = z.input<typeof deploymentRecordSchema>;

/** That a deployment ended. */
export const deploymentEndSchema = z
  .looseObject({
    until: momentSchema.optional().describe('When it ended; the time of recording when absent.'),
    by: z.string().optional().describe('Who ended it; stored as a random token.'),
    reason: textSchema.optional(),
  })
  .meta({ id: 'DeploymentEnd' });
export type DeploymentEnd = z.input<typeof deploymentEndSchema>;

/** The general statement about any ref: approval, assumption, limitation, incident, note … */
export const statementRecordSchema = z
  .looseObject({
    id: idSchema.optional().describe('Made by the server when absent.'),
    ref: z
      .string()
      .describe(
        'A whole ref, or a short one as questions take: a prediction id, credit-risk@3, a name, a path, path#column.',
      ),
    type: z
      .string()
      .min(1)
      .max(limits.idCharactersMax)
      .describe(
        'approval, assumption, intendedUse, limitation, incident, alert, permission, labelGuideline, note, or another. alias: the ref and the whole ref `value.of` are one thing, distinct: they are not, whatever says so; both are of one kind, and of the organisation (datasets, sources) or of one workspace.',
      ),
    text: textSchema.optional(),
    value: attributesSchema.optional(),
    author: z.string().optional().describe('Stored as a random token.'),
    validFrom: momentSchema.optional(),
    validTo: momentSchema.optional(),
    supersedes: z
      .string()
      .optional()
      .describe(
        'Id of the statement that it replaces, from validFrom on; one about a thing of another workspace is refused.',
      ),
  })
  .meta({ id: 'StatementRecord' });
export type StatementRecord = z.input<typeof statementRecordSchema>;

/** Answer to predictions, outcomes and statements: what became of each. */
export const recordsAnswerSchema = z
  .looseObject({
    accepted: z.int().min(0),
    duplicates: z.int().min(0),
    refused: z.int().min(0),
    flagged: z.int().min(0).optional().describe('Kept although they name something unknown.'),
    receipt: receiptSchema.optional(),
    results: z
      .array(
        z.looseObject({
          index: z.int().min(0),
          id: z.string().optional(),
          status: z.enum(['kept', 'duplicate', 'refused', 'flagged']),
          message: z.string().optional(),
          code: z.string().optional().describe('Why it was refused; conflict when absent.'),
        }),
      )
      .describe('Items that were not plainly kept.'),
    ids: z.array(z.string()).optional().describe('Ids of all items, when the server made some.'),
  })
  .meta({ id: 'RecordsAnswer' });
export type RecordsAnswer = z.infer<typeof recordsAnswerSchema>;

/** Answer to a deployment: what was recorded, and where it stands. */
export const recordAnswerSchema = z
  .looseObject({ receipt: receiptSchema.optional() })
  .meta({ id: 'RecordAnswer' });
export type RecordAnswer = z.infer<typeof recordAnswerSchema>;
