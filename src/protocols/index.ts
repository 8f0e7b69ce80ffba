import {
  createWorkspace,
  type Operation,
  projectionsRebuilt,
  settleDeliveries,
} from '../door/index.ts';
import { mlflow, mlflowOperations } from './mlflow/index.ts';
import { openlineage, openlineageOperations } from './openlineage/index.ts';
import { createSpanIntake, otlp, otlpOperations } from './otlp/index.ts';
import { predictionOperations, predictions } from './predictions/index.ts';
import type { Protocol } from './services.ts';

export { createSpanIntake };

/** Every protocol that is served: one line each. */
export const protocols: readonly Protocol[] = [mlflow, openlineage, otlp, predictions];

/** Every operation that a ledger entry may name. Types are erased: replay finds them by name. */
export const operations: readonly Operation[] = [
  createWorkspace as unknown as Operation,
  settleDeliveries as unknown as Operation,
  projectionsRebuilt as unknown as Operation,
  ...mlflowOperations,
  ...openlineageOperations,
  ...otlpOperations,
  ...predictionOperations,
];
