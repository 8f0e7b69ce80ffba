import { WherefromError } from '../../base/errors.ts';
import type { Door } from '../../door/index.ts';
import type { SpanIntake } from '../services.ts';
import { exportTraces } from './export.ts';
import { readExport } from './read.ts';

/** Takes spans as an export request that came from inside, for what brings them from elsewhere. */
export function createSpanIntake(door: Door): SpanIntake {
  return async ({ spans, experiment, workspace, principal }) => {
    const read = readExport(
      { resourceSpans: [{ resource: { attributes: [] }, scopeSpans: [{ spans }] }] },
      'hex',
    );
    const [refused] = read.rejected;
    if (refused !== undefined) throw new WherefromError('invalid_message', refused);
    const { receipt } = await door.submit({
      operation: exportTraces,
      workspace,
      principal,
      body: { experiment, resourceSpans: read.resourceSpans },
    });
    return receipt;
  };
}
