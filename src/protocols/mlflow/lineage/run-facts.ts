import type { Fact, FactContext } from '../../../facts/facts.ts';
import type { RunState } from '../../../facts/lineage-facts.ts';
import type { RunStatus } from '../../../facts/tracking-facts.ts';
import { agentRef, runRef } from './refs.ts';
import { type SourceTags, sourceCodeFacts } from './source-code.ts';

/** MLflow's status in the words of OpenLineage; undefined for what is no event. */
export function runStateOf(status: RunStatus): RunState | undefined {
  switch (status) {
    case 'RUNNING':
      return 'START';
    case 'FINISHED':
      return 'COMPLETE';
    case 'FAILED':
      return 'FAIL';
    case 'KILLED':
      return 'ABORT';
    case 'SCHEDULED':
      return undefined;
  }
}

/** What tags say about a run beyond themselves. `time` is the run's. */
export function tagFacts(
  run: string,
  tags: Readonly<Record<string, string>>,
  source: SourceTags | null,
  { workspace, time }: { readonly workspace: string; readonly time: number },
): Fact[] {
  const facts: Fact[] = [];
  const ref = runRef(workspace, run);
  const parent = tags['mlflow.parentRunId'];
  if (parent !== undefined && parent !== '' && parent !== run) {
    facts.push({
      kind: 'relation.stated',
      relation: 'part-of',
      from: ref,
      to: runRef(workspace, parent),
      known: 'observed',
      rule: 'mlflow.parentRunId',
      time,
    });
  }
  const user = tags['mlflow.user'];
  if (user !== undefined && user !== '')
    facts.push(didFact(run, user, 'mlflow.user', { workspace, time }));
  if (source !== null) facts.push(...sourceCodeFacts(run, source, { workspace, time }));
  return facts;
}

/** A person or account ran the run. */
export function didFact(
  run: string,
  user: string,
  rule: string,
  { workspace, time }: { readonly workspace: string; readonly time: number },
): Fact {
  return {
    kind: 'relation.stated',
    relation: 'did',
    from: agentRef(workspace, user),
    to: runRef(workspace, run),
    known: 'observed',
    rule,
    time,
  };
}

/** The start time that a client gave; the recorded time when it gave none. */
export const startOr = (startTime: number, { time }: FactContext): number =>
  startTime > 0 ? startTime : time;
