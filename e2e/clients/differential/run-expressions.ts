/** Filters and orders of runs/search. */
import { broken, combine, numeric, odd, patterns, textual } from './expression-parts.ts';

/** Filters of runs/search. */
export function runFilters(): string[] {
  return [
    ...combine(['metrics.loss', 'metric.acc', 'metrics.`loss`'], numeric, [
      '0.5',
      '0',
      '-1',
      '1e-300',
      '1e10',
      '1.7976931348623157e308',
      '5',
      '.5',
      '+3',
    ]),
    ...combine(
      ['metrics.loss'],
      ['=', '>', '<'],
      [
        "'0.5'",
        '"0.5"',
        'NaN',
        'Infinity',
        '-Infinity',
        'null',
        'true',
        '0x10',
        '1_000',
        '1e400',
        '(0.5)',
        '5.',
        '-.5',
        '1e',
        '- 1',
      ],
    ),
    ...combine(
      ['metrics.loss', 'metrics.missing'],
      [...textual.slice(2), ...odd, 'IS NULL', 'IS NOT NULL'],
      ['0.5', "'0.5'", ''],
    ),
    ...combine(['params.model', 'tags.team'], textual, patterns),
    ...combine(['params.model', 'tags.team'], [...odd, '>', '<='], ["'tree'", "('tree')", '5']),
    ...[
      'params.model',
      'params.depth',
      'tags.team',
      'params.missing',
      'tags.`a tag`',
      'attributes.run_name',
      'run_name',
      'dataset.name',
      'metrics.loss',
      'start_time',
    ].flatMap((key) =>
      [
        'IS NULL',
        'IS NOT NULL',
        'is null',
        'is not null',
        'IS  NOT  NULL',
        'NOT NULL',
        'ISNULL',
      ].map((test) => `${key} ${test}`),
    ),
    ...combine(
      [
        'run_name',
        'attributes.run_name',
        'attr.`run name`',
        'run.`Run Name`',
        'attribute."Run name"',
      ],
      textual,
      ["'plain'", "'Plain'", "'PLAIN'", "'%la%'", "'it''s'", '"it\'s"', "'müller ☃'", "'line%'"],
    ),
    ...combine(
      ['status', 'attributes.status'],
      [...textual, 'IN', 'NOT IN'],
      ["'FINISHED'", "'finished'", "'RUNNING'", "'F%'", "('FINISHED')", "('FINISHED', 'FAILED')"],
    ),
    ...combine(['user_id'], ['=', '!=', 'IN'], ["'user 1'", "'x'", "('user 1')"]),
    ...combine(['artifact_uri', 'attributes.run_id'], textual, [
      "'user 1'",
      "'USER 1'",
      "'%user%'",
      "'%/artifacts'",
      "'x'",
    ]),
    ...combine(
      ['run_id', 'attributes.run_id'],
      ['IN', 'NOT IN', 'in', 'Not In', '=', '!='],
      [
        "('‹run plain›')",
        "('‹run plain›', '‹run nan›')",
        "('‹run plain›',)",
        '("‹run plain›", \'x\')',
        '()',
        '(1)',
        "('a' 'b')",
        "'‹run plain›'",
        "('a', 1)",
        "( '‹run plain›' )",
        "('‹run plain›','‹run zero›')",
      ],
    ),
    ...combine(
      ['start_time', 'created', 'Created', 'attributes.start_time', 'end_time'],
      [...numeric, 'LIKE', 'IN'],
      ['1700000003000', '1700000000500', '0', "'1700000003000'", '1.7e12', '(1)'],
    ),
    ...combine(
      ['dataset.name', 'datasets.name'],
      [...textual, 'IN', 'NOT IN', '>'],
      ["'wine'", "'Wine'", "'WINE'", "'w%'", '"o\'hara"', "('wine')", "('wine', 'Wine')", "('x')"],
    ),
    ...combine(
      ['dataset.digest', 'dataset.context', 'dataset.missing', 'dataset.`name`'],
      [...textual, 'IN', 'NOT IN'],
      ["'d1'", "'train'", "'t%'", "('train', 'test')"],
    ),
    ...[
      "metrics.loss < 1 AND params.model = 'tree'",
      "metrics.loss < 1 and tags.team ILIKE 'A' AND status = 'FINISHED'",
      "params.model = 'tree' AND params.model = 'Tree'",
      "dataset.name = 'wine' AND dataset.digest = 'd2'",
      "dataset.name = 'wine' AND dataset.context = 'eval'",
      'params.model IS NULL AND metrics.loss > 0',
      "params.depth IS NOT NULL AND tags.team LIKE '%'",
    ],
    ...broken,
  ];
}

/** `order_by` lists of runs/search. */
export function runOrders(): string[][] {
  const keys = [
    'metrics.loss',
    'metric.`acc`',
    'params.model',
    'tags.team',
    'start_time',
    'attributes.end_time',
    'run_name',
    'status',
    'Created',
    'created',
    '`Run Name`',
    'attributes."run name"',
    'metrics.missing',
    'params.depth',
    'dataset.name',
    'metrics.`a metric/with.parts`',
    'tags.`a tag`',
    'metrics."loss"',
  ];
  const one = keys.flatMap((key) =>
    ['', ' ASC', ' DESC', ' desc', ' Asc', ' UP', '  DESC ', ' ASC DESC'].map((direction) => [
      key + direction,
    ]),
  );
  return [
    ...one,
    ...[
      ['metrics.loss', 'params.model DESC'],
      ['metrics.loss DESC', 'metrics.acc'],
      ['tags.team', 'start_time'],
      ['status DESC', 'run_name ASC', 'metrics.loss'],
      ['metrics.loss', 'metrics.loss DESC'],
      ['start_time', 'created'],
    ],
    ...[
      '',
      ' ',
      'x',
      'metrics',
      'metrics.',
      '.loss',
      'foo.bar',
      'metrics.loss, params.model',
      "metrics.'loss'",
      'metrics.loss;',
      "'start_time'",
      '"start_time"',
      '1',
      'metrics.a metric',
      "it's",
      'metrics.loss "desc"',
      'a/../b',
    ].map((order) => [order]),
  ];
}
