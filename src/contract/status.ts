import { z } from 'zod';
import { checkpointSchema, jsonValueSchema, positionSchema, timeSchema } from './answer.ts';

/** What this server is and holds. */
export const statusSchema = z
  .object({
    name: z.string(),
    version: z.string(),
    position: z.int().min(-1).describe('Position of the last entry; -1 while there is none.'),
    entries: z.int().min(0),
    startedAt: timeSchema,
    authentication: z
      .enum(['none', 'keys'])
      .describe('none: no key exists yet, and the server listens on loopback only.'),
    counts: z.object({
      runs: z.int().min(0),
      datasets: z.int().min(0),
      models: z.int().min(0),
      modelVersions: z.int().min(0),
      predictions: z.int().min(0),
    }),
    checkpoint: checkpointSchema.nullable(),
    protocols: z
      .array(z.object({ id: z.string(), title: z.string(), versions: z.array(z.string()) }))
      .optional()
      .describe('The wire protocols that it speaks.'),
  })
  .meta({ id: 'Status' });
export type Status = z.infer<typeof statusSchema>;

/** Where an accepted message stands in the ledger. */
export const receiptSchema = z
  .object({ log: z.string(), position: positionSchema, index: z.int().min(0) })
  .meta({ id: 'Receipt' });
export type ReceiptRecord = z.infer<typeof receiptSchema>;

/** The stored message behind a receipt, and the ledger entry that commits to it. */
export const receiptMessageSchema = z
  .object({
    receipt: receiptSchema,
    recordedTime: timeSchema,
    protocol: z.string(),
    operation: z.string(),
    principal: z.string().describe('Opaque id of who sent it.'),
    workspace: z.string().describe('Opaque id, as the entry names it.'),
    count: z.int().min(1).describe('Messages that share the entry.'),
    root: z.string().describe('Merkle root over the messages of the entry, hex.'),
    message: jsonValueSchema.describe('As it was sent; persons are put back for who may see them.'),
    decided: jsonValueSchema.describe('What the server decided for it: ids, numbers, times.'),
  })
  .meta({ id: 'ReceiptMessage' });
export type ReceiptMessage = z.infer<typeof receiptMessageSchema>;
