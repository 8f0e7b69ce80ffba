import type { Operation } from './operation.ts';

/** Versions of projections and translators together, as `projectionVersion` counts them. */
export interface ProjectionsRebuilt {
  readonly from: number;
  /** The same as `from` where projections did not follow from the record and were repaired. */
  readonly to: number;
}

/**
 * The server's own message that projections were made again from the record and came out otherwise:
 * answers given before may differ from those after. It changes none itself.
 * Source: DESIGN.md section 2; docs/decisions/0027.
 */
export const projectionsRebuilt: Operation<ProjectionsRebuilt, null> = {
  protocol: 'wherefrom',
  operation: 'projections.rebuilt',
  decide: () => ({ outcome: 'accepted', decided: {}, answer: null }),
  translate: () => ({ facts: [], warnings: [] }),
};
