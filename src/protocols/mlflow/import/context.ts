import type { Places } from './places.ts';
import type { Tally } from './report.ts';
import type { MlflowSource } from './source.ts';
import type { ImportTarget } from './target.ts';

/** How far an import is. */
export interface ImportProgress {
  readonly step:
    | 'experiments'
    | 'runs'
    | 'logged models'
    | 'registered models'
    | 'traces'
    | 'evaluation datasets'
    | 'review queues';
  readonly done: number;
  readonly of: number | undefined;
  /** Metric points dealt with so far. */
  readonly points: number;
  readonly pointsOf: number | undefined;
}

export interface ImportOptions {
  readonly source: MlflowSource;
  readonly target: ImportTarget;
  /** False leaves all files, and their locations, where they are. */
  readonly files: boolean;
  /** Where relative paths of the source begin. */
  readonly base: string;
  readonly progress?: ((progress: ImportProgress) => void) | undefined;
}

/** What every step of an import is given. */
export interface ImportContext extends ImportOptions {
  readonly tally: Tally;
  readonly places: Places;
  /** Ids here of the experiments of the source. */
  readonly experiments: Map<string, string>;
}
