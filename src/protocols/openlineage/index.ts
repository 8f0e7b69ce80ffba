import type { Operation } from '../../door/index.ts';
import type { Protocol } from '../services.ts';
import { lineageOperation } from './operation.ts';
import { registerRoutes } from './routes.ts';

/** OpenLineage 2-0-2, as Airflow, Spark, Flink, dbt, Dagster and Feast send it. */
export const openlineage: Protocol = {
  id: 'openlineage',
  title: 'OpenLineage',
  versions: ['2-0-2'],
  register: registerRoutes,
};

/** What ledger entries of this protocol mean. */
export const openlineageOperations: readonly Operation[] = [lineageOperation];
