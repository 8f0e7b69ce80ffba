import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ColumnName, DatasetName, Fact, FactContext } from '../../facts/facts.ts';
import { parseRef } from '../../facts/ref.ts';
import { translateEvent } from './translate.ts';

const root = join(import.meta.dirname, 'fixtures');
const groups = ['airflow_pg', 'dbt', 'feast', 'spark'] as const;
const expected = JSON.parse(readFileSync(join(root, 'expected.json'), 'utf8'));

const context: FactContext = {
  position: 1,
  index: 0,
  time: 1_800_000_000_000,
  workspace: 'default',
  principal: 'p1',
};

function load(group: string): unknown[] {
  const names = readdirSync(join(root, group)).sort();
  return names.map((name) => JSON.parse(readFileSync(join(root, group, name), 'utf8')));
}

function factsOf(events: readonly unknown[]): Fact[] {
  return events.flatMap((message) => translateEvent({ message, decided: {} }, context).facts);
}

const insertOfOtherColumns =
  'Column lineage of shop.public.train_set names columns that its schema does not have: total.';

const nameOf = ({ namespace, name }: DatasetName): string => `${namespace}|${name}`;
const columnOf = ({ dataset, field }: ColumnName): string => `${nameOf(dataset)}#${field}`;
const jobOf = (ref: string): string => {
  const { namespace, name } = parseRef(ref);
  return `${namespace}|${name}`;
};

interface RunSummary {
  job: string | null;
  states: string[];
  inputs: string[];
  outputs: string[];
  cols: string[];
  parent: string | null;
  symlinks: string[];
}

/** What expected.json holds: runs and jobs with their edges, sorted, each once. */
function summarise(events: readonly unknown[]): {
  runs: Record<string, RunSummary>;
  jobs: Record<string, unknown>;
} {
  const runs: Record<string, RunSummary> = {};
  for (const event of events) {
    const facts = factsOf([event]);
    const reported = facts.find((fact) => fact.kind === 'run.reported');
    if (!reported) continue;
    const id = parseRef(reported.run).name;
    runs[id] ??= {
      job: null,
      states: [],
      inputs: [],
      outputs: [],
      cols: [],
      parent: null,
      symlinks: [],
    };
    addFacts(runs[id], facts);
  }
  const jobs: Record<
    string,
    { inputs: string[]; outputs: string[]; cols: string[]; runs: string[] }
  > = {};
  for (const [id, run] of Object.entries(runs)) {
    for (const list of [run.inputs, run.outputs, run.cols, run.symlinks])
      list.splice(0, list.length, ...new Set(list.sort()));
    const name = run.job ?? '';
    const job = jobs[name] ?? { inputs: [], outputs: [], cols: [], runs: [] };
    jobs[name] = job;
    job.inputs = [...new Set([...job.inputs, ...run.inputs])].sort();
    job.outputs = [...new Set([...job.outputs, ...run.outputs])].sort();
    job.cols = [...new Set([...job.cols, ...run.cols])].sort();
    job.runs = [...job.runs, id].sort();
  }
  return { runs, jobs };
}

function addFacts(run: RunSummary, facts: readonly Fact[]): void {
  const parentJobs = new Map<string, string>();
  for (const fact of facts) {
    if (fact.kind === 'relation.stated' && fact.relation === 'ran-as')
      parentJobs.set(fact.to, fact.from);
  }
  for (const fact of facts) {
    if (fact.kind === 'run.reported') {
      run.states.push(fact.state);
      run.job = fact.job === undefined ? null : jobOf(fact.job);
    }
    if (fact.kind === 'dataset.read' && fact.rule === 'openlineage.inputs')
      run.inputs.push(nameOf(fact.dataset));
    if (fact.kind === 'dataset.written') run.outputs.push(nameOf(fact.dataset));
    if (fact.kind === 'columns.derived') {
      run.cols.push(...fact.columns.map(({ from, to }) => `${columnOf(from)} -> ${columnOf(to)}`));
    }
    if (fact.kind === 'dataset.linked' && fact.rule === 'symlinks')
      run.symlinks.push(`${nameOf(fact.a)} == ${nameOf(fact.b)}`);
    if (fact.kind === 'relation.stated' && fact.relation === 'part-of' && fact.role === 'parent') {
      run.parent = `${jobOf(parentJobs.get(fact.to) ?? '')}#${parseRef(fact.to).name}`;
    }
  }
}

/** Job runs are listed in order of arrival there. */
function sortedRuns(group: string): { runs: unknown; jobs: Record<string, { runs: string[] }> } {
  const { runs, jobs } = structuredClone(expected[group]);
  for (const job of Object.values<{ runs: string[] }>(jobs)) job.runs.sort();
  return { runs, jobs };
}

describe.each(groups)('the captured events of %s', (group) => {
  const events = load(group);

  test('give the expected runs, jobs and edges', () => {
    expect(summarise(events)).toEqual(sortedRuns(group));
  });

  test('give the same set of facts in any order and with repetitions', () => {
    const whole = new Set(factsOf(events).map((fact) => JSON.stringify(fact)));
    const order = fc.shuffledSubarray([...events.keys(), ...events.keys()], {
      minLength: events.length * 2,
      maxLength: events.length * 2,
    });
    fc.assert(
      fc.property(order, (indexes) => {
        const facts = factsOf(indexes.map((index) => events[index]));
        expect(new Set(facts.map((fact) => JSON.stringify(fact)))).toEqual(whole);
      }),
      { numRuns: 20 },
    );
  });

  test('need no warnings but those that are meant', () => {
    const warnings = events.flatMap(
      (message) => translateEvent({ message, decided: {} }, context).warnings,
    );
    expect([...new Set(warnings)]).toEqual(group === 'airflow_pg' ? [insertOfOtherColumns] : []);
  });
});

test('a column edge implies the read of its dataset (dbt leaves seeds out of inputs)', () => {
  const reads = factsOf(load('dbt')).filter(
    (fact) => fact.kind === 'dataset.read' && fact.rule === 'openlineage.columnLineage',
  );
  const names = new Set(
    reads.map((fact) => (fact.kind === 'dataset.read' ? fact.dataset.name : '')),
  );
  expect([...names].sort()).toEqual(['demo.main.raw_orders', 'demo.main.raw_users']);
});

test('write modes follow the tool: dbt tables and Spark overwrites replace, INSERT INTO appends', () => {
  const modes = new Set(
    groups.flatMap((group) =>
      factsOf(load(group)).flatMap((fact) =>
        fact.kind === 'dataset.written'
          ? [`${fact.dataset.name.split('/').at(-1)} ${fact.mode}`]
          : [],
      ),
    ),
  );
  expect([...modes].sort()).toMatchInlineSnapshot(`
    [
      "bad.parquet replace",
      "churn_v1 unknown",
      "demo.main.stg_orders replace",
      "demo.main.user_features replace",
      "feats append",
      "feats replace",
      "joined.parquet replace",
      "online_store_user_features unknown",
      "shop.public.orders append",
      "shop.public.train_set append",
      "shop.public.user_features replace",
      "shop.public.users append",
      "user_features unknown",
    ]
  `);
});
