/** Filters and orders of the searches of experiments, models, versions and logged models. */
import { broken, combine, numeric, odd, textual } from './expression-parts.ts';

/** Of experiments/search. */
export const experimentFilters = [
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

/** Lists of order_by, or one. */
export const experimentOrders = [
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

/** Of registered-models/search. */
export const modelFilters = [
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

/** Lists of order_by, or one. */
export const modelOrders = [
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

/** Of model-versions/search. */
export const versionFilters = [
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

/** Lists of order_by, or one. */
export const versionOrders = [
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
/** Of logged-models/search. */
export const loggedFilters = [
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

/** Names of fields. */
export const loggedOrders = [
  'name',
  'model_type',
  'status',
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
