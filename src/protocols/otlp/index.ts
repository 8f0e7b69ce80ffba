import type { Operation } from '../../door/index.ts';
import type { Protocol } from '../services.ts';
import { exportTraces } from './export.ts';
import { registerOtlpRoutes } from './routes.ts';

export { createSpanIntake } from './intake.ts';

/** OpenTelemetry's protocol over HTTP, traces only. */
export const otlp: Protocol = {
  id: 'otlp',
  title: 'OpenTelemetry traces',
  versions: ['1'],
  register: registerOtlpRoutes,
};

/** What ledger entries of this protocol mean. */
export const otlpOperations: readonly Operation[] = [
  // Looked up by name at replay, so its type is erased here.
  exportTraces as unknown as Operation,
];
