import type { Operation } from '../../../door/index.ts';
import { createAssessment, deleteAssessment, updateAssessment } from './assessments.ts';
import { traceInfoOperations } from './operations.ts';

export { registerTraceRoutesV2, registerTraceRoutesV3 } from './routes.ts';

/** Every operation of MLflow's API on traces and assessments; their types are erased for replay. */
export const traceOperations = [
  ...traceInfoOperations,
  createAssessment,
  updateAssessment,
  deleteAssessment,
] as readonly unknown[] as readonly Operation[];
