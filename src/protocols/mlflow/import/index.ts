import type { Operation } from '../../../door/index.ts';
import { importArtifact } from './artifacts.ts';
import { importDataset } from './evaluation.ts';
import { importRecords } from './evaluation-records.ts';
import { importExperiment } from './experiments.ts';
import { importLoggedModel } from './logged-models.ts';
import { importMetrics } from './metrics.ts';
import { importModel } from './registry.ts';
import { importIssue, importSchema } from './review.ts';
import { importQueue } from './review-queues.ts';
import { importRun } from './runs.ts';
import { importScorer } from './scorers.ts';
import { importTrace } from './traces.ts';
import { importAlias, importVersion } from './versions.ts';
import { importWebhook } from './webhooks.ts';

/** Every operation of imports, for rebuild. */
export const importOperations = [
  importExperiment,
  importRun,
  importMetrics,
  importLoggedModel,
  importModel,
  importVersion,
  importAlias,
  importArtifact,
  importTrace,
  importDataset,
  importRecords,
  importScorer,
  importWebhook,
  importIssue,
  importSchema,
  importQueue,
  // Looked up by name at replay, so their types are erased here.
] as unknown as readonly Operation[];
