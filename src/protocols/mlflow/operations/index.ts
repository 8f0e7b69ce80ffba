import type { Operation } from '../../../door/index.ts';
import { deleteArtifacts, putArtifact } from './artifacts.ts';
import {
  createExperiment,
  deleteExperiment,
  deleteExperimentTag,
  restoreExperiment,
  setExperimentTag,
  updateExperiment,
} from './experiments.ts';
import { logInputs, logOutputs } from './inputs.ts';
import {
  createLoggedModel,
  deleteLoggedModel,
  deleteLoggedModelTag,
  finalizeLoggedModel,
  logLoggedModelParams,
  setLoggedModelTags,
} from './logged-models.ts';
import { logBatch, logMetric } from './metrics.ts';
import { createRun, deleteRun, restoreRun, updateRun } from './runs.ts';
import { deleteTag, logModel, logParam, setTag } from './tags.ts';

/** Every operation of MLflow's tracking API and artifact store. */
export const trackingOperations = [
  createExperiment,
  updateExperiment,
  deleteExperiment,
  restoreExperiment,
  setExperimentTag,
  deleteExperimentTag,
  createRun,
  updateRun,
  deleteRun,
  restoreRun,
  logMetric,
  logBatch,
  logParam,
  setTag,
  deleteTag,
  logModel,
  logInputs,
  logOutputs,
  createLoggedModel,
  finalizeLoggedModel,
  setLoggedModelTags,
  deleteLoggedModelTag,
  logLoggedModelParams,
  deleteLoggedModel,
  putArtifact,
  deleteArtifacts,
] as readonly unknown[] as readonly Operation[];
