import type { Operation } from '../../door/index.ts';
import { decideEvent, type LineageAnswer } from './decide.ts';
import { withoutPersons } from './persons.ts';
import { translateEvent } from './translate.ts';

/** One RunEvent, JobEvent or DatasetEvent, as ledger entries name it: `openlineage lineage`. */
export const lineageOperation: Operation<unknown, LineageAnswer> = {
  protocol: 'openlineage',
  operation: 'lineage',
  persons: withoutPersons,
  decide: decideEvent,
  translate: translateEvent,
};
