import { useEffect, useState } from 'react';
import { fetchJson, type Problem, readKey, readNumber, readText } from '../../api.ts';

const REFRESH_EVERY_MS = 5_000;

/** What the server says about itself. Any field may be missing: servers may be older or newer. */
export interface Status {
  readonly version: string | undefined;
  readonly commit: string | undefined;
  readonly entries: number | undefined;
  readonly startedAt: string | undefined;
  readonly authentication: string | undefined;
  /** The signed note. */
  readonly checkpoint: string | undefined;
  readonly counts: readonly { readonly name: string; readonly value: number }[];
}

export interface StatusReading {
  /** The last status that could be read; kept when a later reading fails. */
  readonly status: Status | undefined;
  readonly problem: Problem | undefined;
}

const countNames = {
  runs: 'runs',
  datasets: 'datasets',
  models: 'models',
  modelVersions: 'model versions',
  predictions: 'predictions',
} as const;

/** Reads the status now and again while the page is looked at. */
export function useStatus(): StatusReading {
  const [reading, setReading] = useState<StatusReading>({ status: undefined, problem: undefined });

  useEffect(() => {
    const leaving = new AbortController();
    async function refresh(): Promise<void> {
      const answer = await fetchJson('api/wherefrom/v1/status', leaving.signal);
      if (leaving.signal.aborted) return;
      setReading((before) =>
        'problem' in answer
          ? { status: before.status, problem: answer.problem }
          : { status: readStatus(answer.body), problem: undefined },
      );
    }
    void refresh();
    const timer = setInterval(() => {
      if (!document.hidden) void refresh();
    }, REFRESH_EVERY_MS);
    return () => {
      clearInterval(timer);
      leaving.abort();
    };
  }, []);

  return reading;
}

function readStatus(body: unknown): Status {
  const counts = Object.entries(countNames).flatMap(([key, name]) => {
    const value = readNumber(readKey(body, 'counts'), key);
    return value === undefined ? [] : [{ name, value }];
  });
  return {
    version: readText(body, 'version'),
    commit: readText(body, 'commit'),
    entries: readNumber(body, 'entries'),
    startedAt: readText(body, 'startedAt'),
    authentication: readText(body, 'authentication'),
    checkpoint: readText(readKey(body, 'checkpoint'), 'note'),
    counts,
  };
}
