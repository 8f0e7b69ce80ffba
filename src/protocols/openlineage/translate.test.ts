import { describe, expect, test } from 'vitest';
import { limits } from '../../base/limits.ts';
import type { Fact, FactContext } from '../../facts/facts.ts';
import { translateEvent } from './translate.ts';

const context: FactContext = {
  position: 7,
  index: 0,
  time: 1_800_000_000_000,
  workspace: 'team',
  principal: 'p1',
};
const time = Date.UTC(2026, 10, 21, 12);
const base = {
  eventTime: '2026-11-21T12:00:00Z',
  eventType: 'COMPLETE',
  run: { runId: 'r1' },
  job: { namespace: 'n', name: 'j' },
};

function translate(message: unknown): { facts: Fact[]; warnings: readonly string[] } {
  const { facts, warnings } = translateEvent({ message, decided: {} }, context);
  return { facts: [...facts], warnings };
}

function ofKind<K extends Fact['kind']>(
  facts: readonly Fact[],
  kind: K,
): Extract<Fact, { kind: K }>[] {
  return facts.filter((fact): fact is Extract<Fact, { kind: K }> => fact.kind === kind);
}

describe('a run event', () => {
  test('reports its run and job', () => {
    const { facts, warnings } = translate(base);
    expect(facts).toEqual([
      { kind: 'run.reported', run: 'run:team/r1', state: 'COMPLETE', time, job: 'job:n/j' },
    ]);
    expect(warnings).toEqual([]);
  });

  test('without eventTime takes the time of recording and says so', () => {
    const { facts, warnings } = translate({ ...base, eventTime: undefined });
    expect(ofKind(facts, 'run.reported')[0]?.time).toBe(context.time);
    expect(warnings).toEqual(['eventTime is missing: the time of recording is used.']);
  });

  test.each([
    [undefined, 'OTHER', 0],
    ['complete', 'COMPLETE', 0],
    ['Fail', 'FAIL', 0],
    ['DONE', 'OTHER', 1],
    [5, 'OTHER', 1],
  ])('of eventType %j has the state %s', (eventType, state, warned) => {
    const { facts, warnings } = translate({ ...base, eventType });
    expect(ofKind(facts, 'run.reported')[0]?.state).toBe(state);
    expect(warnings).toHaveLength(warned);
  });

  test('keeps run ids that are no UUID, encoded, and compares UUIDs without case', () => {
    const runOf = (runId: unknown): string | undefined =>
      ofKind(translate({ ...base, run: { runId } }).facts, 'run.reported')[0]?.run;
    expect(runOf('manual__2026-01-01/a@b')).toBe('run:team/manual__2026-01-01/a%40b');
    expect(runOf(17)).toBe('run:team/17');
    expect(runOf('2F0F74EE-5AE2-4A01-B108-9FCA10F8270C')).toBe(
      'run:team/2f0f74ee-5ae2-4a01-b108-9fca10f8270c',
    );
  });

  test('turns facets into attributes, whole, and leaves large ones in the message', () => {
    const big = 'x'.repeat(limits.attributeBytesMax);
    const { facts, warnings } = translate({
      ...base,
      producer: 'https://p',
      run: {
        runId: 'r1',
        facets: {
          nominalTime: { _producer: 'p', _schemaURL: 's', nominalStartTime: 't' },
          'spark.logicalPlan': { plan: big },
        },
      },
      job: {
        ...base.job,
        facets: { jobType: { processingType: 'STREAMING' }, documentation: { _deleted: true } },
      },
    });
    expect(ofKind(facts, 'entity.described')).toEqual([
      {
        kind: 'entity.described',
        ref: 'run:team/r1',
        time,
        attributes: {
          nominalTime: { nominalStartTime: 't' },
          'spark.logicalPlan': { omittedBytes: big.length + 11 },
          producer: 'https://p',
        },
      },
      {
        kind: 'entity.described',
        ref: 'job:n/j',
        time,
        attributes: { jobType: { processingType: 'STREAMING' }, documentation: null },
      },
    ]);
    expect(ofKind(facts, 'run.reported')[0]?.streaming).toBe(true);
    expect(warnings[0]).toContain('spark.logicalPlan');
  });

  test.each(['parent', 'parentRun'])(
    'knows its parent and root from %s, also before they were heard of',
    (facet) => {
      const parent = {
        run: { runId: 'p1' },
        job: { namespace: 'n', name: 'dag' },
        root: { run: { runId: 'r0' }, job: { namespace: 'n', name: 'top' } },
      };
      const { facts } = translate({ ...base, run: { runId: 'r1', facets: { [facet]: parent } } });
      const relations = ofKind(facts, 'relation.stated').map(
        ({ from, relation, to, role }) => `${from} ${relation} ${to} ${role}`,
      );
      expect(relations).toEqual([
        'run:team/r1 part-of run:team/p1 parent',
        'job:n/dag ran-as run:team/p1 undefined',
        'run:team/r1 part-of run:team/r0 root',
        'job:n/top ran-as run:team/r0 undefined',
      ]);
    },
  );

  test('names the code and the owners of its job', () => {
    const facets = {
      sourceCodeLocation: {
        type: 'git',
        repoUrl: 'https://g/o/r',
        path: 'dags/a.py',
        version: 'abc',
      },
      ownership: { owners: [{ name: 'person_1', type: 'MAINTAINER' }] },
    };
    const { facts } = translate({ ...base, job: { ...base.job, facets } });
    const relations = ofKind(facts, 'relation.stated').map(
      ({ from, relation, to, role }) => `${from} ${relation} ${to} ${role}`,
    );
    expect(relations).toEqual([
      'agent:team/person_1 did job:n/j maintainer',
      'code:https:%2F%2Fg%2Fo%2Fr/dags/a.py@abc used-by run:team/r1 undefined',
    ]);
  });
});

describe('datasets of a run', () => {
  const dataset = { namespace: 'ns', name: 't' };

  test('inputs are read with version, schema, counts and checks', () => {
    const { facts } = translate({
      ...base,
      inputs: [
        {
          ...dataset,
          facets: {
            version: { datasetVersion: '42' },
            schema: {
              fields: [
                { name: 'a', type: 'struct', fields: [{ name: 'b', type: 'int' }] },
                { name: 'c' },
              ],
            },
            dataQualityAssertions: { assertions: [{ assertion: 'not_null', success: true }] },
            documentation: { description: 'd' },
          },
          inputFacets: {
            dataQualityMetrics: { rowCount: 3, bytes: 9 },
            subset: { inputCondition: { type: 'partition' } },
          },
        },
      ],
    });
    expect(ofKind(facts, 'dataset.read')).toEqual([
      {
        kind: 'dataset.read',
        run: 'run:team/r1',
        dataset,
        known: 'observed',
        rule: 'openlineage.inputs',
        time,
        version: '42',
        attributes: {
          schema: [{ name: 'a', type: 'struct' }, { name: 'a.b', type: 'int' }, { name: 'c' }],
          dataQualityAssertions: { assertions: [{ assertion: 'not_null', success: true }] },
          dataQualityMetrics: { rowCount: 3, bytes: 9 },
          subset: { inputCondition: { type: 'partition' } },
          rowCount: 3,
          bytes: 9,
        },
      },
    ]);
    expect(ofKind(facts, 'dataset.described')[0]?.attributes).toEqual({
      documentation: { description: 'd' },
      schema: [{ name: 'a', type: 'struct' }, { name: 'a.b', type: 'int' }, { name: 'c' }],
    });
  });

  const output = (change: unknown, more = {}) => ({
    ...base,
    outputs: [{ ...dataset, facets: { lifecycleStateChange: change, ...more } }],
  });

  test.each([
    ['OVERWRITE', 'replace'],
    ['create', 'replace'],
    ['TRUNCATE', 'replace'],
    ['ALTER', 'append'],
    ['SOMETHING', 'unknown'],
  ])('a lifecycle change %s is a write that does: %s', (lifecycleStateChange, mode) => {
    expect(
      ofKind(translate(output({ lifecycleStateChange })).facts, 'dataset.written')[0]?.mode,
    ).toBe(mode);
  });

  test('DROP and RENAME are no writes, and a failed run did neither', () => {
    const drop = output({ lifecycleStateChange: 'DROP' });
    expect(translate(drop).facts.slice(1)).toEqual([{ kind: 'dataset.dropped', dataset, time }]);
    expect(translate({ ...drop, eventType: 'FAIL' }).facts).toHaveLength(1);
    const rename = output({
      lifecycleStateChange: 'RENAME',
      previousIdentifier: { namespace: 'ns', name: 'old' },
    });
    expect(translate(rename).facts.slice(1)).toEqual([
      { kind: 'dataset.renamed', from: { namespace: 'ns', name: 'old' }, to: dataset, time },
    ]);
    expect(translate({ ...rename, eventType: 'ABORT' }).facts).toHaveLength(1);
  });

  test('a failed run wrote all the same: what it means is for the graph to decide', () => {
    const { facts } = translate({ ...base, eventType: 'FAIL', outputs: [dataset] });
    expect(ofKind(facts, 'dataset.written')).toHaveLength(1);
  });

  test.each([
    ['incremental', 'append'],
    ['view', 'replace'],
    ['ephemeral', 'unknown'],
  ])('dbt materialised as %s: %s', (materialized, mode) => {
    const facets = { dbt_model: { config: { materialized } } };
    expect(
      ofKind(translate({ ...base, outputs: [{ ...dataset, facets }] }).facts, 'dataset.written')[0]
        ?.mode,
    ).toBe(mode);
  });

  test('column lineage makes edges, joins transformations, and implies the read', () => {
    const input = (field: string, more = {}) => ({ namespace: 'ns', name: 'src', field, ...more });
    const columnLineage = {
      fields: {
        x: {
          inputFields: [
            input('a', {
              transformations: [
                { type: 'INDIRECT', subtype: 'JOIN' },
                { type: 'DIRECT', subtype: 'IDENTITY', masking: true },
              ],
            }),
          ],
        },
        y: { inputFields: [input('b'), { field: 'nameless' }], transformationType: 'MASKED' },
      },
      dataset: [input('c', { transformations: [{ type: 'INDIRECT', subtype: 'FILTER' }] })],
    };
    const { facts, warnings } = translate({
      ...base,
      outputs: [{ ...dataset, facets: { columnLineage } }],
    });
    const src = { namespace: 'ns', name: 'src' };
    expect(ofKind(facts, 'columns.derived')).toEqual([
      {
        kind: 'columns.derived',
        via: 'run:team/r1',
        known: 'observed',
        rule: 'openlineage.columnLineage',
        time,
        columns: [
          {
            from: { dataset: src, field: 'a' },
            to: { dataset, field: 'x' },
            how: 'DIRECT/IDENTITY,INDIRECT/JOIN',
            masking: true,
          },
          {
            from: { dataset: src, field: 'b' },
            to: { dataset, field: 'y' },
            how: 'DIRECT/MASKED',
            masking: true,
          },
          {
            from: { dataset: src, field: 'c' },
            to: { dataset, field: '*' },
            how: 'INDIRECT/FILTER',
          },
        ],
      },
    ]);
    expect(
      ofKind(facts, 'dataset.read').map(({ dataset: read, rule }) => [read.name, rule]),
    ).toEqual([['src', 'openlineage.columnLineage']]);
    expect(warnings).toHaveLength(1);
  });

  test('explicit lineage gives edges between whole datasets, fields, and the datasets themselves', () => {
    const entries = [
      {
        type: 'DATASET',
        ...dataset,
        inputs: [{ type: 'DATASET', namespace: 'ns', name: 'a' }, { type: 'JOB' }],
        fields: {
          x: {
            inputs: [
              {
                type: 'DATASET',
                namespace: 'ns',
                name: 'b',
                field: 'y',
                transformations: [{ type: 'DIRECT' }],
              },
            ],
          },
        },
      },
      { type: 'JOB', inputs: [{ type: 'DATASET', namespace: 'ns', name: 'sunk' }] },
      { type: 'JOB', namespace: 'n', name: 'another', inputs: [{ type: 'JOB' }] },
    ];
    const { facts, warnings } = translate({
      ...base,
      job: { ...base.job, facets: { lineage: { entries } } },
    });
    const [derived] = ofKind(facts, 'columns.derived');
    expect(
      derived?.columns.map(
        ({ from, to, how }) => `${from.dataset.name}.${from.field} ${to.field} ${how}`,
      ),
    ).toEqual(['a.* * undefined', 'b.y x DIRECT']);
    expect(ofKind(facts, 'dataset.read').map((read) => read.dataset.name)).toEqual([
      'sunk',
      'a',
      'b',
    ]);
    expect(ofKind(facts, 'dataset.written').map((write) => write.dataset.name)).toEqual(['t']);
    // A job is among its sources: which datasets it came of is not told whole.
    expect(ofKind(facts, 'flow.stated')).toEqual([]);
    expect(warnings).toHaveLength(1);
  });

  test('explicit lineage says of which inputs alone an output came, whole and by its columns', () => {
    const source = (name: string) => ({ type: 'DATASET', namespace: 'ns', name });
    const entries = [
      { ...source('x'), inputs: [source('a')], fields: { c: { inputs: [source('b')] } } },
      { ...source('x'), inputs: [source('a'), source('d')] },
      { ...source('y'), inputs: [] },
      source('z'),
    ];
    const { facts } = translate({
      ...base,
      job: { ...base.job, facets: { lineage: { entries } } },
    });
    const flows = ofKind(facts, 'flow.stated').map(
      ({ via, output, inputs }) =>
        `${via.split(':')[0]} ${output.name} of ${inputs.map(({ name }) => name).join(' ')}`,
    );
    expect(flows).toEqual(['run x of a b d', 'run y of ']);
  });

  test('symlinks link both names; a Feast file source is linked to its file', () => {
    const { facts } = translate({
      ...base,
      inputs: [
        {
          ...dataset,
          facets: {
            symlinks: {
              identifiers: [{ namespace: 'hive', name: 'db.t', type: 'TABLE' }, dataset],
            },
          },
        },
        {
          namespace: 'feast',
          name: 'src',
          facets: { feast_dataSource: { source_type: 'FileSource', path: 's3://b/k/f.parquet' } },
        },
      ],
    });
    expect(ofKind(facts, 'dataset.linked').map(({ b, rule }) => [b, rule])).toEqual([
      [{ namespace: 'hive', name: 'db.t' }, 'symlinks'],
      [{ namespace: 's3://b', name: 'k/f.parquet' }, 'feast.dataSource.path'],
    ]);
  });
});
