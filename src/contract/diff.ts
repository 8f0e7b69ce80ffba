import { z } from 'zod';
import { checkpointSchema, jsonValueSchema, kindSchema, refSchema } from './answer.ts';

/** What part of the lineage differs, in the order in which it most likely explains a difference. */
export const diffAreas = [
  'code',
  'data',
  'parameters',
  'environment',
  'upstream',
  'configuration',
  'attributes',
  'metrics',
] as const;
export const diffAreaSchema = z.enum(diffAreas);
export type DiffArea = (typeof diffAreas)[number];

/** One thing that differs. `a` is absent when it was added, `b` when it was removed. */
export const diffChangeSchema = z
  .object({
    area: diffAreaSchema,
    name: z.string().describe('For example the parameter, the package or the dataset.'),
    change: z.enum(['added', 'removed', 'changed']),
    a: jsonValueSchema.optional(),
    b: jsonValueSchema.optional(),
    aRef: refSchema.optional(),
    bRef: refSchema.optional(),
    note: z.string().optional().describe('A sentence about it, for example what it means.'),
  })
  .meta({ id: 'DiffChange' });
export type DiffChange = z.infer<typeof diffChangeSchema>;

/** One side of a comparison: what was asked, and the run whose record was compared for it. */
export const diffSideSchema = z
  .object({
    ref: refSchema,
    kind: kindSchema,
    name: z.string(),
    run: refSchema.optional().describe('The run compared, when the ref is not a run itself.'),
  })
  .meta({ id: 'DiffSide' });
export type DiffSide = z.infer<typeof diffSideSchema>;

/** The difference of two runs, versions or predictions; what most likely explains it comes first. */
export const diffSchema = z
  .object({
    a: diffSideSchema,
    b: diffSideSchema,
    changes: z.array(diffChangeSchema),
    same: z
      .partialRecord(diffAreaSchema, z.int().min(0))
      .describe('How many things of each area are equal on both sides.'),
    unknown: z.array(z.string()).describe('What could not be compared, and why.'),
    checkpoint: checkpointSchema.nullable(),
  })
  .meta({ id: 'Diff' });
export type Diff = z.infer<typeof diffSchema>;
