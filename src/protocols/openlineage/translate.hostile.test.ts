import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { limits } from '../../base/limits.ts';
import type { Fact, FactContext } from '../../facts/facts.ts';
import { findRef } from '../../facts/ref.ts';
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

describe('static events', () => {
  const src = { namespace: 'ns', name: 'src' };
  const out = { namespace: 'ns', name: 'out' };
  const columnLineage = { fields: { x: { inputFields: [{ ...src, field: 'a' }] } } };

  test('a job event declares, with the datasets that its columns imply', () => {
    const { facts } = translate({
      eventTime: base.eventTime,
      job: base.job,
      outputs: [{ ...out, facets: { columnLineage } }],
    });
    expect(ofKind(facts, 'job.declared')).toEqual([
      { kind: 'job.declared', job: 'job:n/j', inputs: [src], outputs: [out], time },
    ]);
    expect(ofKind(facts, 'columns.derived')[0]).toMatchObject({
      via: 'job:n/j',
      known: 'declared',
    });
    expect(ofKind(facts, 'run.reported')).toEqual([]);
  });

  test('a job event with empty lists only describes the job', () => {
    const { facts } = translate({
      eventTime: base.eventTime,
      job: base.job,
      inputs: [],
      outputs: [],
    });
    expect(facts).toEqual([{ kind: 'entity.described', ref: 'job:n/j', time, attributes: {} }]);
  });

  test('a dataset event describes; with columns its definition is a job', () => {
    const facets = { documentation: { description: 'd' }, columnLineage };
    const { facts } = translate({ eventTime: base.eventTime, dataset: { ...out, facets } });
    expect(facts.map(({ kind }) => kind)).toEqual([
      'dataset.described',
      'job.declared',
      'columns.derived',
    ]);
    expect(ofKind(facts, 'job.declared')[0]?.job).toBe(
      'job:ns/definition of out'.replaceAll(' ', '%20'),
    );
    const drop = translate({
      eventTime: base.eventTime,
      dataset: { ...out, facets: { lifecycleStateChange: { lifecycleStateChange: 'DROP' } } },
    });
    expect(drop.facts).toEqual([{ kind: 'dataset.dropped', dataset: out, time }]);
  });
});

describe('hostile events', () => {
  const refsOf = (facts: readonly Fact[]): string[] =>
    facts.flatMap((fact) =>
      Object.entries(fact).flatMap(([key, value]) =>
        typeof value === 'string' && ['run', 'job', 'ref', 'via', 'from', 'to'].includes(key)
          ? [value]
          : [],
      ),
    );

  test('any JSON anywhere is translated, with refs that can be read', () => {
    const name = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 40 }),
      fc.string({ minLength: 900, maxLength: 3_000 }),
      fc.jsonValue(),
    );
    const facet = fc.oneof(
      fc.jsonValue(),
      fc.record({
        fields: fc.jsonValue(),
        dataset: fc.jsonValue(),
        identifiers: fc.jsonValue(),
        entries: fc.jsonValue(),
      }),
    );
    const facetName = fc.constantFrom(
      'schema',
      'columnLineage',
      'symlinks',
      'lineage',
      'version',
      'parent',
      'ownership',
      'sourceCodeLocation',
      'lifecycleStateChange',
      '__proto__',
      'constructor',
      'x',
    );
    const facets = fc.oneof(fc.jsonValue(), fc.dictionary(facetName, facet, { maxKeys: 4 }));
    const datasets = fc.oneof(
      fc.jsonValue(),
      fc.array(
        fc.record(
          { namespace: name, name, facets, inputFacets: facets, outputFacets: facets },
          { requiredKeys: [] },
        ),
        { maxLength: 3 },
      ),
    );
    const event = fc.record(
      {
        eventTime: fc.jsonValue(),
        eventType: fc.jsonValue(),
        run: fc.oneof(fc.jsonValue(), fc.record({ runId: name, facets }, { requiredKeys: [] })),
        job: fc.oneof(
          fc.jsonValue(),
          fc.record({ namespace: name, name, facets }, { requiredKeys: [] }),
        ),
        dataset: fc.oneof(
          fc.jsonValue(),
          fc.record({ namespace: name, name, facets }, { requiredKeys: [] }),
        ),
        inputs: datasets,
        outputs: datasets,
        producer: fc.jsonValue(),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.oneof(event, fc.jsonValue()), (message) => {
        const first = translate(message);
        for (const ref of refsOf(first.facts)) expect(findRef(ref), ref).toBeDefined();
        // Replaying what was stored gives the same facts.
        expect(JSON.stringify(translate(JSON.parse(JSON.stringify(message))))).toBe(
          JSON.stringify(first),
        );
      }),
      { numRuns: 300 },
    );
  });

  test('long names stay apart and short enough for refs', () => {
    const long = '/@ '.repeat(2_000);
    const inputs = ['a', 'b'].map((end) => ({ namespace: long, name: long + end }));
    const names = ofKind(translate({ ...base, inputs }).facts, 'dataset.read').map(
      ({ dataset }) => dataset.name,
    );
    expect(new Set(names).size).toBe(2);
  });

  test('edges beyond the limit are left out, and it is said', () => {
    const fields = Object.fromEntries(
      Array.from({ length: limits.columnEdgesPerEventMax + 5 }, (_, index) => [
        `c${index}`,
        { inputFields: [{ namespace: 'n', name: 's', field: 'f' }] },
      ]),
    );
    const { facts, warnings } = translate({
      ...base,
      outputs: [{ namespace: 'n', name: 'o', facets: { columnLineage: { fields } } }],
    });
    expect(ofKind(facts, 'columns.derived')[0]?.columns).toHaveLength(
      limits.columnEdgesPerEventMax,
    );
    expect(warnings).toHaveLength(1);
  });

  test('a schema nested too deep or too wide is cut, and it is said', () => {
    let nested: unknown[] = [];
    for (let depth = 0; depth < limits.schemaDepthMax + 5; depth += 1)
      nested = [{ name: 'f', fields: nested }];
    const wide = Array.from({ length: 20_000 }, (_, index) => ({
      name: `column_${index}`,
      type: 'string',
    }));
    for (const fields of [nested, wide]) {
      const { facts, warnings } = translate({
        ...base,
        inputs: [{ namespace: 'n', name: 'i', facets: { schema: { fields } } }],
      });
      const schema = ofKind(facts, 'dataset.read')[0]?.attributes?.schema;
      expect(Array.isArray(schema) && schema.length).toBeGreaterThan(limits.schemaDepthMax - 1);
      expect(Buffer.byteLength(JSON.stringify(schema))).toBeLessThanOrEqual(
        limits.attributeBytesMax,
      );
      expect(warnings).toHaveLength(1);
    }
  });
});
