import { z } from 'zod';
import {
  answerStopSchema,
  askedSchema,
  checkpointSchema,
  knownSchema,
  missingLinkSchema,
  notJudgedSchema,
  positionSchema,
  refSchema,
  timeSchema,
} from './answer.ts';

/** One link that a full lineage should have, and whether this one has it. */
export const completenessCheckSchema = z
  .object({
    what: z.string().describe('The link, for example "code commit" or "training data digest".'),
    ref: refSchema.describe('The thing that should have it.'),
    found: z.boolean(),
    by: z.array(refSchema).optional().describe('What fulfils it.'),
    known: knownSchema.optional().describe('How the strongest of them is known.'),
    hint: z.string().optional().describe('How to record it, when it is missing.'),
  })
  .meta({ id: 'CompletenessCheck' });
export type CompletenessCheck = z.infer<typeof completenessCheckSchema>;

/** Which links a full lineage should have, which are missing: a number and a list, usable in gates. */
export const completenessSchema = z
  .object({
    ref: refSchema,
    asOf: z.object({ position: positionSchema.or(z.literal(-1)) }),
    at: timeSchema.nullable().optional().describe('What was true at this time; null is now.'),
    score: z.number().min(0).max(1).describe('Share of the links that are there.'),
    checks: z.array(completenessCheckSchema),
    missing: z.array(missingLinkSchema),
    notJudged: notJudgedSchema.optional(),
    stopped: z
      .array(answerStopSchema)
      .optional()
      .describe('Where the walk went no further; what is not found there is not called missing.'),
    asked: askedSchema.optional(),
    checkpoint: checkpointSchema.nullable(),
  })
  .meta({ id: 'Completeness' });
export type Completeness = z.infer<typeof completenessSchema>;
