import type { Clock } from '../base/clock.ts';
import { toWherefromError, WherefromError } from '../base/errors.ts';
import { limits } from '../base/limits.ts';

/** What is written to: the data directory with the record, and where artifacts are kept. */
export type Place = 'data' | 'artifacts';

/** What an operator is told, and when: at a change, and at most once a minute for each place. */
export interface HealthEvent {
  readonly event: 'writes.failing' | 'writes.recovered';
  readonly place: Place;
  /** Why; what to do about it. Absent when they recovered. */
  readonly reason?: string;
  /** Writes that failed since this was last told. */
  readonly failed: number;
}

/** Whether this server can write, as its own writes show. */
export interface Health {
  /** Gives back what a write came to; that it found no place to write is remembered. */
  watch<T>(place: Place, write: Promise<T>): Promise<T>;
  /** Tries a place without being asked to write there. Never rejects. */
  check(place: Place): Promise<void>;
  /** What cannot be written, in words for everybody; undefined while all can. */
  trouble(): string | undefined;
  close(): void;
}

export interface HealthOptions {
  /** Tries whether a place can be written, and rejects when not. */
  readonly probes: Readonly<Record<Place, (signal: AbortSignal) => Promise<void>>>;
  readonly clock: Clock;
  report(event: HealthEvent): void;
  /** Counts failed writes for /metrics. */
  failed(place: Place): void;
  /** ms between two probes; `limits.healthProbeMs` when absent. */
  readonly probeMs?: number;
}

const words: Readonly<Record<Place, string>> = {
  data: 'Writes to the data directory fail.',
  artifacts: 'Artifacts cannot be stored.',
};

interface PlaceState {
  isFailing: boolean;
  /** Of this failing something was told. */
  isTold: boolean;
  toldTime: number;
  failed: number;
}

/**
 * Watches writes. A place that failed is tried by itself until it can be written again: whoever is
 * told to stay away by /health sends nothing that could show it.
 */
export function createHealth(options: HealthOptions): Health {
  const { clock, probes } = options;
  const closed = new AbortController();
  const fresh = (): PlaceState => ({
    isFailing: false,
    isTold: false,
    toldTime: Number.NEGATIVE_INFINITY,
    failed: 0,
  });
  const places: Readonly<Record<Place, PlaceState>> = { data: fresh(), artifacts: fresh() };

  const fail = (place: Place, { message, hint }: WherefromError): void => {
    const state = places[place];
    state.failed += 1;
    const now = clock.now();
    if (now - state.toldTime >= limits.healthToldMs) {
      const reason = hint === undefined ? message : `${message} ${hint}`;
      options.report({ event: 'writes.failing', place, reason, failed: state.failed });
      Object.assign(state, { toldTime: now, isTold: true, failed: 0 });
    }
    if (!state.isFailing) tryLater(place);
    state.isFailing = true;
  };

  const recover = (place: Place): void => {
    const state = places[place];
    if (state.isTold) options.report({ event: 'writes.recovered', place, failed: state.failed });
    Object.assign(state, { isFailing: false, isTold: false, failed: 0 });
  };

  const probe = (place: Place): Promise<void> => {
    const timeout = AbortSignal.timeout(limits.healthProbeTimeoutMs);
    return probes[place](AbortSignal.any([closed.signal, timeout]));
  };

  const tryLater = (place: Place): void => {
    const timer = setTimeout(() => {
      if (closed.signal.aborted) return;
      probe(place).then(
        () => recover(place),
        () => tryLater(place),
      );
    }, options.probeMs ?? limits.healthProbeMs);
    timer.unref();
  };

  return {
    async watch(place, write) {
      try {
        return await write;
      } catch (thrown) {
        if (thrown instanceof WherefromError && thrown.code === 'storage_unavailable') {
          options.failed(place);
          fail(place, thrown);
        }
        throw thrown;
      }
    },
    check: (place) =>
      probe(place).catch((thrown: unknown) => {
        if (!closed.signal.aborted) fail(place, toWherefromError(thrown));
      }),
    trouble() {
      const failing = (['data', 'artifacts'] as const).filter((place) => places[place].isFailing);
      return failing.length === 0 ? undefined : failing.map((place) => words[place]).join(' ');
    },
    close: () => closed.abort(),
  };
}

/** An event as a line for a terminal or a log of the system. */
export function describeHealth({ event, place, reason = '', failed }: HealthEvent): string {
  const where = place === 'data' ? 'the data directory' : 'the artifacts';
  return event === 'writes.recovered'
    ? `${where} can be written again.`
    : `${where} cannot be written (failed: ${failed}). ${reason}`;
}
