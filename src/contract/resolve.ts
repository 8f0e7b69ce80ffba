import { z } from 'zod';
import { kindSchema, refSchema } from './answer.ts';

/** One thing that a short ref can mean. */
export const candidateSchema = z
  .object({
    ref: refSchema,
    kind: kindSchema,
    name: z.string(),
    why: z
      .string()
      .describe('Which reading of the short ref found it, for example "run id prefix".'),
  })
  .meta({ id: 'Candidate' });
export type Candidate = z.infer<typeof candidateSchema>;

/** What a whole or short ref means. */
export const resolutionSchema = candidateSchema
  .extend({ query: z.string() })
  .meta({ id: 'Resolution' });
export type Resolution = z.infer<typeof resolutionSchema>;

/** Things whose name is or begins with the text. */
export const searchResultSchema = z
  .object({
    query: z.string(),
    items: z.array(candidateSchema),
    more: z.boolean().describe('True when there are more than were listed.'),
  })
  .meta({ id: 'SearchResult' });
export type SearchResult = z.infer<typeof searchResultSchema>;
