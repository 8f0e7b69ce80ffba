import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseFilter, parseOrders } from './filter.ts';
import {
  experimentGrammar,
  loggedModelGrammar,
  modelVersionGrammar,
  runGrammar,
} from './grammar.ts';

const runs = (filter: string) => parseFilter(filter, runGrammar);

describe('a filter', () => {
  test('is a list of comparisons joined by AND', () => {
    expect(
      runs('metrics.rmse < 1.5 AND params.model = \'tree\' and tags.`mlflow.user` != "ann"'),
    ).toEqual([
      { entity: 'metric', key: 'rmse', operator: '<', value: 1.5 },
      { entity: 'parameter', key: 'model', operator: '=', value: 'tree' },
      { entity: 'tag', key: 'mlflow.user', operator: '!=', value: 'ann' },
    ]);
  });

  test.each([
    ['', []],
    ['metric.`a b` >= -2e3', [{ entity: 'metric', key: 'a b', operator: '>=', value: -2000 }]],
    ['metrics."a/b" = 1', [{ entity: 'metric', key: 'a/b', operator: '=', value: 1 }]],
    ["tags.mlflow.user = 'x'", [{ entity: 'tag', key: 'mlflow.user', operator: '=', value: 'x' }]],
    [
      "status = 'FINISHED'",
      [{ entity: 'attribute', key: 'status', operator: '=', value: 'FINISHED' }],
    ],
    [
      "attributes.`Run name` LIKE 'a%'",
      [{ entity: 'attribute', key: 'run_name', operator: 'LIKE', value: 'a%' }],
    ],
    ['Created > 5', [{ entity: 'attribute', key: 'start_time', operator: '>', value: 5 }]],
    [
      'run_id IN (\'a\', "b",)',
      [{ entity: 'attribute', key: 'run_id', operator: 'IN', value: ['a', 'b'] }],
    ],
    [
      "run_id not in ('a')",
      [{ entity: 'attribute', key: 'run_id', operator: 'NOT IN', value: ['a'] }],
    ],
    ['params.p IS NULL', [{ entity: 'parameter', key: 'p', operator: 'IS NULL', value: null }]],
    ['tags.t is not null', [{ entity: 'tag', key: 't', operator: 'IS NOT NULL', value: null }]],
    [
      "datasets.context = 'train'",
      [{ entity: 'dataset', key: 'context', operator: '=', value: 'train' }],
    ],
    ["params.p='a AND b'", [{ entity: 'parameter', key: 'p', operator: '=', value: 'a AND b' }]],
    [
      'tags.k = "it\\"s" AND params.p = "x"',
      [
        { entity: 'tag', key: 'k', operator: '=', value: 'it\\"s' },
        { entity: 'parameter', key: 'p', operator: '=', value: 'x' },
      ],
    ],
    ['tags.k = "it""s"', [{ entity: 'tag', key: 'k', operator: '=', value: 'it""s' }]],
    ['tags.k = "a\\"', [{ entity: 'tag', key: 'k', operator: '=', value: 'a\\' }]],
    [
      'run_id IN ("a\\"b", \'c\\\'d\')',
      [{ entity: 'attribute', key: 'run_id', operator: 'IN', value: ['a"b', "c'd"] }],
    ],
    ["params.p = 'it''s'", [{ entity: 'parameter', key: 'p', operator: '=', value: "it''s" }]],
  ])('%s', (filter, conditions) => {
    expect(runs(filter)).toEqual(conditions);
  });

  test.each([
    ['  ', /^Invalid filter ' {2}'\. Could not be parsed\.$/],
    ['metrics.a = +3', /^Invalid clause/],
    ["params.1 = 'one'", /^Invalid clause/],
    ["params.a-b = 'x'", /^Invalid clause/],
    ['params.p IS NOT  NULL', /^Invalid clause/],
    ['"tags".t = \'x\'', /^Invalid entity type/],
    ['metrics.a > 1 OR metrics.b > 1', /^Invalid clause\(s\) in filter string: 'OR'/],
    ['NOT metrics.a > 1', /'NOT'/],
    ['(metrics.a > 1)', /Invalid clause\(s\) in filter string: '\(metrics.a > 1\)'/],
    ['metrics.a', /Invalid clause\(s\)/],
    ['metrics.a > ', /Invalid clause\(s\)/],
    ['> 1', /Invalid clause\(s\)/],
    ['metrics.a > 1; metrics.b > 1', /multiple expression/],
    ["metrics.a > 'x'", /^Expected numeric value type for metric\. Found 'x'$/],
    [
      "start_time > 'x'",
      /^Expected numeric value type for numeric attribute: start_time\. Found 'x'$/,
    ],
    [
      'params.p = 5',
      /^Expected a quoted string value for parameter \(e\.g\. 'my-value'\)\. Got value 5$/,
    ],
    ['tags.t = x', /^Parameter value is either not quoted or unidentified quote types/],
    ["params.p > 'x'", /^Invalid comparator '>' not one of/],
    ["metrics.m LIKE 'x'", /^Expected numeric value type/],
    ['metrics.m == 1', /^Invalid comparator '==' not one of/],
    ["nope.a = 'x'", /^Invalid entity type 'nope'\. Valid values are \[/],
    ["nope = 'x'", /^Invalid attribute key 'nope' specified\. Valid keys are/],
    ["dataset.size = 'x'", /^Invalid dataset key 'size'/],
    [
      'metrics.m IS NULL',
      /IS NULL \/ IS NOT NULL is only supported for tags and params, not for 'metric' 'm'/,
    ],
    ["status IN ('a')", /^Only \['run_id'\] attributes support comparison with a list/],
    ['run_id IN ()', /got empty list/],
    ["run_id IN ('a' 'b')", /ill-formed list/],
    ["run_id IN 'a'", /takes a list/],
    ["tags.t IN ('a')", /^Expected a quoted string value for tag/],
  ])('%s is refused', (filter, text) => {
    expect(() => runs(filter)).toThrow(text);
  });

  test('speaks the words of each search', () => {
    expect(parseFilter("name ILIKE 'E%' AND creation_time > 0", experimentGrammar)).toHaveLength(2);
    expect(() => parseFilter('metrics.a > 1', experimentGrammar)).toThrow(
      "Invalid entity type 'metrics'",
    );
    expect(parseFilter('version_number = 2', modelVersionGrammar)).toMatchObject([{ value: 2 }]);
    expect(parseFilter('creation_time > 1', loggedModelGrammar)).toMatchObject([
      { key: 'creation_timestamp' },
    ]);
  });

  test('of any text is read or refused, in time that grows with its length', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string({
            unit: fc.constantFrom(
              'a',
              '.',
              '`',
              "'",
              '"',
              ' ',
              '(',
              ')',
              '=',
              '1',
              '-',
              ' AND ',
              ' IN ',
              '\\',
            ),
          }),
        ),
        (filter) => {
          try {
            runs(filter);
          } catch (thrown) {
            expect(thrown).toMatchObject({ code: 'invalid_message' });
          }
        },
      ),
      { numRuns: 2_000 },
    );
    const start = performance.now();
    for (const piece of ["'", '`', '"', '(', "('a',", 'a.', 'a = ', "\\'", '\\"', '\\"."']) {
      for (const before of ['', '(', "('", '("', '"', "'"]) {
        expect(() => runs(before + piece.repeat(5_000))).toThrow();
      }
    }
    expect(performance.now() - start).toBeLessThan(2_000);
  });
});

describe('an order', () => {
  test.each([
    ['metrics.rmse', { entity: 'metric', key: 'rmse', ascending: true }],
    ['metrics.`a b` DESC', { entity: 'metric', key: 'a b', ascending: false }],
    ['start_time desc', { entity: 'attribute', key: 'start_time', ascending: false }],
    ['Created ASC', { entity: 'attribute', key: 'start_time', ascending: true }],
    ["metrics.'a b'  asc", { entity: 'metric', key: 'a b', ascending: true }],
  ])('%s', (clause, order) => {
    expect(parseOrders([clause], runGrammar)).toEqual([order]);
  });

  test.each([
    [['metrics.a foo'], /^Invalid ordering key in order_by clause 'metrics.a foo'\.$/],
    [[''], /Could not be parsed/],
    [['metrics.a DESC more'], /Could not be parsed/],
    [['nope'], /Invalid attribute key 'nope'/],
    // Names that a filter may use, but not an order.
    [['attributes.`Run Name`'], /Invalid attribute key 'Run Name'/],
    [['metrics.a DESC '], /Could not be parsed/],
    [[' metrics.a'], /Could not be parsed/],
    [['metrics.1'], /Could not be parsed/],
    [['metrics.a-b'], /Could not be parsed/],
    [["'start_time'"], /Could not be parsed/],
    [['dataset.name'], /Invalid order_by entity: dataset/],
    [['metrics.a', 'metrics.a DESC'], /duplicate fields/],
    [['created', 'start_time'], /duplicate fields/],
  ])('%j is refused', (clauses, text) => {
    expect(() => parseOrders(clauses, runGrammar)).toThrow(text);
  });
});
