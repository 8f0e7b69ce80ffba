/** Filter and order expressions for every search, valid and not: built from tables, and by hand. */
import type { Step } from './compared.ts';
import { populated } from './population.ts';

const api = '/api/2.0/mlflow';

/** All combinations, as `<left> <operator> <right>`. */
function combine(
  lefts: readonly string[],
  operators: readonly string[],
  rights: readonly string[],
): string[] {
  return lefts.flatMap((left) =>
    operators.flatMap((operator) => rights.map((right) => `${left} ${operator} ${right}`)),
  );
}

const numeric = ['=', '!=', '>', '>=', '<', '<='];
const textual = ['=', '!=', 'LIKE', 'ILIKE'];
const odd = ['IN', 'NOT IN', 'RLIKE', '<>', '==', 'like', 'ilike', 'in', 'not in', 'NOT LIKE', '~'];

/** Texts as values, in the quotes of the grammar. */
const patterns = [
  ...[
    "'tree'",
    '"tree"',
    "'Tree'",
    "'TREE'",
    "'%ree'",
    "'t%'",
    "'%'",
    "''",
    "'_ree'",
    "'for_est'",
    "'for%est'",
    "'FOR%'",
  ],
  ...[
    "'[a-z]*?'",
    "'%[%'",
    "'*'",
    "'?ree'",
    "'it''s'",
    '"it\'s"',
    '\'say "so"\'',
    "'Größe'",
    "'GRÖSSE'",
    "'größe'",
    "'gr%e'",
    "'%ü%'",
  ],
  ...[
    "'100%'",
    "'back\\slash'",
    "'back%slash'",
    "'line%break'",
    "'under_score'",
    "'NULL'",
    "'3'",
    "'  tree '",
  ],
];

/** Whatever may stand where a comparison should, or beside one. */
const broken = [
  ...[
    '',
    ' ',
    'model',
    'params',
    'params.',
    '.model',
    'params.model',
    'params.model =',
    "= 'tree'",
    "params.model 'tree'",
    'params.model = tree',
    'params.model = 3',
  ],
  ...[
    "params.model = 'tree",
    "params.model == 'tree'",
    "params.model = 'tree' OR params.model = 'x'",
    "NOT params.model = 'tree'",
    "(params.model = 'tree')",
  ],
  ...[
    "params.model = 'tree' AND",
    "AND params.model = 'tree'",
    "params.model = 'tree' and params.depth = '3'",
    "params.model = 'tree' AND AND params.depth = '3'",
  ],
  ...[
    "params.model = 'tree', params.depth = '3'",
    "params.model = 'tree'; params.depth = '3'",
    "params.model = 'tree';",
    "params.model = 'tree' -- comment",
    "params.model = 'tree' /* c */",
  ],
  ...[
    "model = 'tree'",
    "parms.model = 'tree'",
    "Params.model = 'tree'",
    "'tree' = params.model",
    'params.model = params.depth',
    "params.model.depth = 'x'",
    "params. model = 'tree'",
  ],
  ...[
    "params.model='tree'",
    "params.model=  'tree'  ",
    "params.model\n=\n'tree'",
    "params.model LIKE 'a' LIKE 'b'",
    "params.model BETWEEN 'a' AND 'z'",
    "params.model IS 'tree'",
  ],
  ...[
    'SELECT * FROM runs',
    '1 = 1',
    "'a' = 'a'",
    'params.model = NULL',
    'params.model IS NULL NULL',
    'params.model NOT NULL',
    "params.model = ('tree')",
    "params.model IN ('tree')",
  ],
  ...[
    "params.select = 'x'",
    "params.order = 'x'",
    "tags.and = 'x'",
    "tags.`and` = 'x'",
    "params.1 = 'one'",
    "params.`1` = 'one'",
    "params.a-b = 'dash'",
    "params.`a-b` = 'dash'",
    'params."a-b" = \'dash\'',
  ],
  ...[
    "params.a.b = 'dot'",
    "params.`a.b` = 'dot'",
    "tags.a tag = 'x'",
    'tags.`a tag` = "it\'s"',
    "tags.'a tag' = 'x'",
    "`tags`.team = 'a'",
    '"tags".team = \'a\'',
    "tags.ü = 'ü'",
    "tags.`ü` = 'ü'",
  ],
  ...[
    'metrics.`a metric/with.parts` > 1',
    'metrics.a metric > 1',
    'metrics."a metric/with.parts" = 2',
    'metrics.größe = 1',
    'metrics.`größe` = 1',
    'metrics.1 = 1',
    'metrics.`1` = 1',
  ],
];

/** Filters of runs/search. */
function runFilters(): string[] {
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
function runOrders(): string[][] {
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

const experimentFilters = [
  ...combine(['name', 'attribute.name'], textual, [
    "'exp one'",
    "'Exp One'",
    "'EXP%'",
    "'exp%'",
    "'%o%'",
    '"exp \'quoted\'"',
    "'exp_under\\%'",
    "'größe'",
    "'GRÖ%'",
  ]),
  ...combine(
    ['tags.team', 'tag.team', 'tags.`a tag`', 'tags.missing'],
    [...textual, 'IN', '>'],
    ["'a'", "'A'", "'%'", "'x'", "('a')"],
  ),
  ...combine(
    ['creation_time', 'last_update_time', 'attribute.creation_time'],
    [...numeric, 'LIKE'],
    ['0', '1e15', "'0'", '1.5'],
  ),
  ...combine(
    ['experiment_id', 'attribute.experiment_id'],
    ['=', '!=', 'IN', 'NOT IN', 'LIKE', '>'],
    ["'1'", "'0'", "('0', '1')", "('x')", '1', '(1)', "'x'", "'01'"],
  ),
  ...combine(['name'], odd, ["'exp one'", "('exp one')"]),
  ...['tags.team', 'name', 'tags.`a tag`', 'creation_time'].flatMap((key) => [
    `${key} IS NULL`,
    `${key} IS NOT NULL`,
    `${key} is null`,
  ]),
  ...[
    "name = 'exp one' AND tags.team = 'a'",
    "name LIKE 'exp%' AND tags.team != 'a' AND creation_time > 0",
    "attributes.name = 'exp one'",
    "params.a = 'x'",
    'metrics.a > 1',
    "Name = 'x'",
    "lifecycle_stage = 'active'",
    "artifact_location = 'x'",
  ],
  ...broken,
];

const experimentOrders = [
  ...['name', 'experiment_id', 'attribute.name', 'attribute.experiment_id'].flatMap((key) =>
    ['', ' ASC', ' DESC', ' desc', ' UP'].map((direction) => [key + direction]),
  ),
  ...[
    ['name', 'experiment_id DESC'],
    ['tags.team'],
    ['foo'],
    ['name', 'name'],
    ['`name`'],
    ['name ASC DESC'],
    [''],
    ['attributes.name'],
    ['metrics.x'],
  ],
];

const modelFilters = [
  ...combine(['name', 'attribute.name'], textual, [
    "'model one'",
    "'Model One'",
    "'MODEL%'",
    "'model%'",
    "'%o%'",
    '"model \'quoted\'"',
    "'größe'",
    "'GRÖ%'",
    "'model_under%'",
    "'%'",
  ]),
  ...combine(
    ['tags.team', 'tag.team', 'tags.`a tag`', 'tags.missing'],
    [...textual, 'IN', '>'],
    ["'a'", "'A'", "'%'", "'x'", "('a')"],
  ),
  ...combine(['name'], odd, ["'model one'", "('model one')", "('model one', 'größe')"]),
  ...[
    "name = 'model one' AND tags.team = 'a'",
    "tags.team = 'a' AND tags.size = 'big'",
    "tags.`mlflow.prompt.is_prompt` = 'true'",
    "tags.`mlflow.prompt.is_prompt` != 'true'",
    "name = 'a prompt'",
    'name IS NULL',
    'tags.team IS NULL',
    'creation_timestamp > 0',
    "run_id = 'x'",
    'version_number = 1',
    "attributes.name = 'x'",
    'last_updated_timestamp > 0',
  ],
  ...broken,
];

const modelOrders = [
  ...['name', 'creation_timestamp', 'last_updated_timestamp', 'timestamp'].flatMap((key) =>
    ['', ' ASC', ' DESC', ' desc', ' UP'].map((direction) => [key + direction]),
  ),
  ...[
    ['name', 'name DESC'],
    ['name DESC', 'creation_timestamp'],
    ['tags.team'],
    ['foo'],
    ['`name`'],
    ['attribute.name'],
    [''],
    ['name ASC DESC'],
    ['version_number'],
  ],
];

const versionFilters = [
  ...combine(
    ['name'],
    [...textual, 'IN', 'NOT IN'],
    [
      "'model one'",
      "'Model One'",
      "'model%'",
      "'MODEL%'",
      "('model one')",
      '"model \'quoted\'"',
      "'größe'",
    ],
  ),
  ...combine(
    ['version_number'],
    [...numeric, 'LIKE', 'IN'],
    ['1', '2', '0', "'1'", '1.5', '-1', "('1')", '(1)'],
  ),
  ...combine(
    ['run_id'],
    [...textual, 'IN', 'NOT IN', 'in'],
    [
      "'‹run plain›'",
      "('‹run plain›')",
      "('‹run plain›','‹run Plain›')",
      "('‹run plain›', 'x',)",
      '()',
      "''",
      "('')",
      '(1)',
    ],
  ),
  ...combine(
    ['source_path', 'attribute.source_path'],
    [...textual, 'IN'],
    ["'s3://bucket/Second/model one'", "'%second%'", "'%Second%'", "'%first_%'", "('x')"],
  ),
  ...combine(
    ['tags.team', 'tag.stage', 'tags.missing', 'tags.`team`'],
    [...textual, 'IN', '<'],
    ["'a'", "'A'", "'B'", "'%'", "('a')"],
  ),
  ...[
    "name = 'model one' AND tags.team = 'a'",
    "name = 'model one' AND run_id = '‹run plain›'",
    "name = 'model one' AND version_number > 1",
    "name='model one'",
    'name IS NULL',
    'creation_timestamp > 0',
    'last_updated_timestamp > 0',
    "current_stage = 'None'",
    "model_id = 'x'",
    "tags.`mlflow.prompt.is_prompt` = 'true'",
    "name = 'model one' AND name = 'Model One'",
  ],
  ...broken,
];

const versionOrders = [
  ...[
    'name',
    'version_number',
    'creation_timestamp',
    'last_updated_timestamp',
    'timestamp',
  ].flatMap((key) => ['', ' ASC', ' DESC', ' UP'].map((direction) => [key + direction])),
  ...[
    ['name', 'version_number DESC'],
    ['version_number', 'name'],
    ['name', 'name'],
    ['tags.team'],
    ['foo'],
    ['`name`'],
    [''],
    ['run_id'],
    ['source_path'],
  ],
];

const loggedFilters = [
  ...combine(
    ['name', 'attributes.name', 'attribute.name', 'model_type', 'source_run_id', 'model_id'],
    [...textual, 'IN', 'NOT IN'],
    [
      "'lm one'",
      "'LM%'",
      "'lm%'",
      "'agent'",
      "'Agent'",
      "'‹run plain›'",
      "('lm one', 'agent')",
      "('lm one')",
    ],
  ),
  ...combine(
    ['status', 'attributes.status'],
    [...textual, 'IN', '>'],
    [
      "'READY'",
      "'ready'",
      "'PENDING'",
      "'UPLOAD_FAILED'",
      "'FAILED'",
      "'LOGGED_MODEL_READY'",
      "'%READY%'",
      "('READY')",
    ],
  ),
  ...combine(
    ['metrics.acc', 'metrics.loss', 'metrics.missing', 'metric.acc'],
    [...numeric, 'LIKE'],
    ['0.9', '0.5', '1', '-1', "'1'"],
  ),
  ...combine(
    ['params.depth', 'tags.team', 'params.missing', 'param.depth', 'tag.team'],
    [...textual, 'IN', '>'],
    ["'3'", "'a'", "'A'", "'%'", "''", "('a')"],
  ),
  ...combine(
    [
      'creation_timestamp',
      'creation_time',
      'last_updated_timestamp',
      'last_updated_time',
      'creation_timestamp_ms',
    ],
    ['>', '<', '=', 'LIKE'],
    ['0', '1e15', "'0'"],
  ),
  ...['tags.team', 'params.depth', 'name', 'metrics.acc'].flatMap((key) => [
    `${key} IS NULL`,
    `${key} IS NOT NULL`,
  ]),
  ...[
    "name = 'lm one' AND metrics.acc > 0.5",
    'metrics.acc > 0.5 AND metrics.loss > 0',
    "tags.team = 'a' AND tags.size = 'big'",
    "lifecycle_stage = 'active'",
    "artifact_location = 'x'",
    "experiment_id = '1'",
    "foo.bar = 'x'",
    "dataset.name = 'wine'",
    "tags.`team` = 'a'",
    'tags."team" = \'a\'',
  ],
  ...broken,
];

const loggedOrders = [
  'name',
  'model_type',
  'status',
  'source_run_id',
  'creation_timestamp',
  'creation_time',
  'last_updated_timestamp',
  'attributes.name',
  'metrics.acc',
  'metrics.loss',
  'metrics.missing',
  'metrics.`acc`',
  'params.depth',
  'tags.team',
  'foo',
  '',
  'experiment_id',
  'name DESC',
  'metric.acc',
  'lifecycle_stage',
  'artifact_location',
  'creation_timestamp_ms',
];

const post = (path: string, body: Step['body']): Step => ({
  method: 'POST',
  path: api + path,
  ...(body === undefined ? {} : { body }),
});

function registrySearch(what: string, filter: string | undefined, orders: readonly string[]): Step {
  const query = [
    ...(filter === undefined ? [] : [`filter=${quoted(filter)}`]),
    ...orders.map((order) => `order_by=${quoted(order)}`),
  ];
  return { method: 'GET', path: `${api}/${what}/search?${query.join('&')}` };
}

/** Percent-encoded, but for the symbols, which the pair replaces. */
function quoted(text: string): string {
  return text
    .split(/(‹[^›]*›)/)
    .map((part) => (part.startsWith('‹') ? part : encodeURIComponent(part)))
    .join('');
}

const searchRuns = (more: Readonly<Record<string, string | readonly string[] | number>>): Step =>
  post('/runs/search', { experiment_ids: [populated], ...more });
const searchExperiments = (more: Readonly<Record<string, string | readonly string[]>>): Step =>
  post('/experiments/search', { max_results: 100, ...more });
const searchLogged = (more: Step['body'] & object): Step =>
  post('/logged-models/search', { experiment_ids: [populated], ...more });

/** Every search, one request an expression. */
export function searchSteps(): Step[] {
  const datasets = [
    [],
    [{ dataset_name: 'wine' }],
    [{ dataset_name: 'wine', dataset_digest: 'wine-1' }, { dataset_name: 'beer' }],
    [{ dataset_name: 'x' }],
  ];
  return [
    ...runFilters().map((filter) => searchRuns({ filter })),
    ...runOrders().map((order_by) => searchRuns({ order_by })),
    ...['ACTIVE_ONLY', 'DELETED_ONLY', 'ALL'].flatMap((run_view_type) =>
      ['', "tags.team = 'a'", 'metrics.loss < 1'].map((filter) =>
        searchRuns({ run_view_type, filter, order_by: ['metrics.loss DESC'] }),
      ),
    ),
    ...experimentFilters.map((filter) =>
      searchExperiments({ filter, order_by: ['experiment_id'] }),
    ),
    ...experimentOrders.map((order_by) => searchExperiments({ order_by })),
    ...['ACTIVE_ONLY', 'DELETED_ONLY', 'ALL'].map((view_type) =>
      searchExperiments({ view_type, order_by: ['name'] }),
    ),
    ...modelFilters.map((filter) => registrySearch('registered-models', filter, [])),
    ...modelOrders.map((orders) => registrySearch('registered-models', undefined, orders)),
    ...versionFilters.map((filter) =>
      registrySearch('model-versions', filter, ['name', 'version_number']),
    ),
    ...versionOrders.map((orders) => registrySearch('model-versions', undefined, orders)),
    ...loggedFilters.map((filter) => searchLogged({ filter, order_by: [{ field_name: 'name' }] })),
    ...loggedOrders.flatMap((field_name) =>
      [true, false].map((ascending) => searchLogged({ order_by: [{ field_name, ascending }] })),
    ),
    ...datasets.flatMap((of) =>
      ['', 'metrics.acc > 0.6', 'metrics.loss > 0'].map((filter) =>
        searchLogged({
          filter,
          datasets: of,
          order_by: [{ field_name: 'metrics.acc', ascending: true, ...of[0] }],
        }),
      ),
    ),
  ];
}
