import type { ErrorCode } from '../../base/errors.ts';

/** What became of one record of a request. */
export interface RecordResult {
  readonly index: number;
  /** Absent for one that was sent without an id and refused. */
  readonly id?: string;
  readonly status: 'kept' | 'duplicate' | 'refused' | 'flagged';
  readonly message?: string;
  /** Of one that was refused; `conflict` when absent. */
  readonly code?: ErrorCode;
}

/** The door's answer to a request of records. */
export interface RecordsAnswer {
  readonly accepted: number;
  readonly duplicates: number;
  readonly refused: number;
  readonly flagged: number;
  /** Records that were not plainly kept. */
  readonly results: readonly RecordResult[];
  /** Ids of all records, when the sender does not know them; empty for one that has none. */
  readonly ids?: readonly string[];
}

/** Counts results as they come. */
export class RecordsAnswerBuilder {
  readonly #counts = { kept: 0, duplicate: 0, refused: 0, flagged: 0 };
  readonly #results: RecordResult[] = [];
  readonly #ids: string[] = [];

  add(result: RecordResult): void {
    this.#counts[result.status] += 1;
    this.#ids.push(result.id ?? '');
    if (result.status !== 'kept') this.#results.push(result);
  }

  finish(withIds: boolean): RecordsAnswer {
    const { kept, duplicate, refused, flagged } = this.#counts;
    return {
      accepted: kept + flagged,
      duplicates: duplicate,
      refused,
      flagged,
      results: this.#results,
      ...(withIds ? { ids: this.#ids } : {}),
    };
  }
}
