import type { Operation } from '../../door/index.ts';
import type { Protocol, ResolveShort } from '../services.ts';
import { endDeployment, recordDeployment } from './deployments.ts';
import { recordOutcomes } from './outcomes.ts';
import { recordPredictions } from './predictions.ts';
import { registerPredictionRoutes } from './routes.ts';
import { makeStatements } from './statements.ts';

/** Predictions, outcomes, deployments and statements over our own API. */
export const predictions: Protocol = {
  id: 'wherefrom',
  title: 'Predictions, outcomes, deployments and statements',
  versions: ['1'],
  register: registerPredictionRoutes,
};

/** Replay only translates. */
const decidesNothing: ResolveShort = () => Promise.reject(new Error('A replay decides nothing.'));

/** Every operation of this folder, for rebuild. */
export const predictionOperations: readonly Operation[] = [
  recordPredictions,
  recordOutcomes,
  recordDeployment,
  endDeployment,
  makeStatements(decidesNothing),
  // Looked up by name at replay, so their types are erased here.
] as unknown as readonly Operation[];
