import type { SearchOperator } from '../../tracking/index.ts';

export type { SearchOperator };

/** What a search names: MLflow's entity types, without their aliases. */
export type SearchEntity = 'metric' | 'parameter' | 'tag' | 'attribute' | 'dataset';

/** One comparison of a filter. Filters are lists of them, all of which must hold. */
export interface Condition {
  readonly entity: SearchEntity;
  readonly key: string;
  readonly operator: SearchOperator;
  /** A list for IN and NOT IN, null for IS NULL and IS NOT NULL. */
  readonly value: string | number | readonly string[] | null;
}

/** One `order_by` clause. */
export interface Order {
  readonly entity: SearchEntity;
  readonly key: string;
  readonly ascending: boolean;
}

/** What one of MLflow's searches allows. */
export interface Grammar {
  /** Entities by the names that a filter may call them. */
  readonly entities: Readonly<Record<string, SearchEntity>>;
  readonly attributes: readonly string[];
  readonly orderAttributes: readonly string[];
  /** Entities that may be ordered by. */
  readonly orderEntities: readonly SearchEntity[];
  readonly numericAttributes: readonly string[];
  /** String attributes that take IN and NOT IN; all of them when absent. */
  readonly listAttributes?: readonly string[];
  /** Entities that take IS NULL and IS NOT NULL. */
  readonly nullable: readonly SearchEntity[];
  /** Numeric attributes whose number may stand in quotes. */
  readonly quotedNumbers?: readonly string[];
  /** Numeric attributes take whole numbers only. */
  readonly wholeNumbers?: boolean;
  /** Names of entities may stand in backticks. */
  readonly quotedEntities?: boolean;
  /** An order may name a key again: the first one counts. */
  readonly repeatedOrders?: boolean;
  /** Orders are keys as they stand, not identifiers; these are shown when another comes. */
  readonly shownOrderKeys?: string;
  /** Tags and parameters take IN and NOT IN too. */
  readonly listsOfAll?: boolean;
  /** Other names of attributes. */
  readonly attributeAliases: Readonly<Record<string, string>>;
}

const attributeOnly = { attribute: 'attribute', tag: 'tag', tags: 'tag' } as const;
const trackingEntities = {
  metric: 'metric',
  metrics: 'metric',
  parameter: 'parameter',
  parameters: 'parameter',
  param: 'parameter',
  params: 'parameter',
  tag: 'tag',
  tags: 'tag',
  attribute: 'attribute',
  attributes: 'attribute',
  attr: 'attribute',
  run: 'attribute',
  dataset: 'dataset',
  datasets: 'dataset',
} as const;

const runOrderAttributes = [
  'artifact_uri',
  'end_time',
  'run_id',
  'run_name',
  'start_time',
  'status',
  'user_id',
  'created',
  'Created',
];
const runAttributes = [...runOrderAttributes, 'run name', 'Run name', 'Run Name'];

/** Source of these tables: mlflow/utils/search_utils.py, class SearchUtils. */
export const runGrammar: Grammar = {
  entities: trackingEntities,
  quotedEntities: true,
  attributes: runAttributes,
  orderAttributes: runOrderAttributes,
  orderEntities: ['metric', 'parameter', 'tag', 'attribute'],
  numericAttributes: ['start_time', 'end_time', 'created', 'Created'],
  listAttributes: ['run_id'],
  nullable: ['tag', 'parameter'],
  attributeAliases: {
    created: 'start_time',
    Created: 'start_time',
    'run name': 'run_name',
    'Run name': 'run_name',
    'Run Name': 'run_name',
  },
};

const experimentAttributes = ['name', 'experiment_id', 'creation_time', 'last_update_time'];

/** Class SearchExperimentsUtils. */
export const experimentGrammar: Grammar = {
  entities: attributeOnly,
  attributes: experimentAttributes,
  orderAttributes: experimentAttributes,
  orderEntities: ['attribute'],
  numericAttributes: ['creation_time', 'last_update_time'],
  wholeNumbers: true,
  repeatedOrders: true,
  listAttributes: ['experiment_id'],
  nullable: ['tag'],
  attributeAliases: {},
};

/** Class SearchModelUtils. */
export const modelGrammar: Grammar = {
  entities: attributeOnly,
  attributes: ['name'],
  orderAttributes: ['name', 'last_updated_timestamp'],
  orderEntities: ['attribute'],
  numericAttributes: ['creation_timestamp', 'last_updated_timestamp'],
  listAttributes: ['name'],
  nullable: [],
  attributeAliases: {},
};

/** Class SearchModelVersionUtils. */
export const modelVersionGrammar: Grammar = {
  entities: attributeOnly,
  attributes: ['name', 'version_number', 'run_id', 'source_path'],
  orderAttributes: ['name', 'version_number', 'creation_timestamp', 'last_updated_timestamp'],
  orderEntities: ['attribute'],
  numericAttributes: ['version_number', 'creation_timestamp', 'last_updated_timestamp'],
  quotedNumbers: ['version_number'],
  listAttributes: ['name', 'run_id'],
  nullable: [],
  attributeAliases: {},
};

const evaluationDatasetOrders = ['name', 'created_time', 'last_update_time'];

/** Class SearchEvaluationDatasetsUtils. */
export const evaluationDatasetGrammar: Grammar = {
  entities: { attribute: 'attribute', tags: 'tag' },
  attributes: [...evaluationDatasetOrders, 'created_by', 'last_updated_by'],
  orderAttributes: evaluationDatasetOrders,
  orderEntities: ['attribute'],
  numericAttributes: ['created_time', 'last_update_time'],
  listAttributes: ['name'],
  nullable: [],
  attributeAliases: {},
};

const loggedModelAttributes = [
  'name',
  'model_id',
  'model_type',
  'status',
  'source_run_id',
  'creation_timestamp',
  'creation_time',
  'last_updated_timestamp',
];

/** Source: mlflow/utils/search_logged_model_utils.py. */
export const loggedModelGrammar: Grammar = {
  entities: { attributes: 'attribute', metrics: 'metric', params: 'parameter', tags: 'tag' },
  listsOfAll: true,
  attributes: loggedModelAttributes,
  orderAttributes: loggedModelAttributes,
  orderEntities: ['metric', 'attribute'],
  numericAttributes: loggedModelAttributes.slice(5),
  nullable: [],
  attributeAliases: { creation_time: 'creation_timestamp' },
};
