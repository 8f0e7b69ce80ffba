import { z } from 'zod';
import {
  askedSchema,
  checkpointSchema,
  jsonValueSchema,
  positionSchema,
  refSchema,
  timeSchema,
} from './answer.ts';

/** One statement about a thing: an entry of `attributes.statements` (those that hold), or of the list of all. */
export const statementShownSchema = z
  .object({
    id: z.string(),
    type: z.string().describe('approval, incident, limitation, alert, note …'),
    text: z.string().optional(),
    value: z.record(z.string(), jsonValueSchema).optional(),
    author: z.string().optional(),
    time: timeSchema.describe('When it was made.'),
    validFrom: timeSchema
      .optional()
      .describe('Since when it holds; since it was made when absent.'),
    validTo: timeSchema.optional().describe('Until when it holds; absent when it has no end.'),
    supersedes: z.string().optional().describe('Id of the statement whose place it takes.'),
    supersededBy: z
      .array(
        z.object({
          id: z.string(),
          validFrom: timeSchema.optional().describe('Since when; from its beginning when absent.'),
        }),
      )
      .optional()
      .describe('What took its place.'),
    position: positionSchema,
    holds: z.boolean().describe('Whether it holds at the moment that is asked about.'),
  })
  .meta({ id: 'Statement' });
export type StatementShown = z.infer<typeof statementShownSchema>;

/** All that was ever stated about a thing, the newest first. */
export const statementsSchema = z
  .object({
    ref: refSchema,
    asOf: z.object({ position: positionSchema.or(z.literal(-1)) }),
    at: timeSchema.nullable().describe('The time at which `holds` is judged; null is now.'),
    statements: z.array(statementShownSchema),
    asked: askedSchema.optional(),
    checkpoint: checkpointSchema.nullable(),
  })
  .meta({ id: 'Statements' });
export type Statements = z.infer<typeof statementsSchema>;
