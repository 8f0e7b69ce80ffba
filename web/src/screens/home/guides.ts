/** How to point a tool at this server; `server` is its address without a trailing slash. */
export interface Guide {
  readonly title: string;
  readonly text: string;
  readonly commands: (server: string) => string;
}

/** OpenLineage's clients join paths as relative URLs: a prefix needs a slash at its end to stay. */
const asBase = (server: string): string =>
  new URL(server).pathname === '/' ? server : `${server}/`;

export const guides: readonly Guide[] = [
  {
    title: 'MLflow',
    text: 'Runs, metrics, artifacts and registered models. Your training code stays as it is.',
    commands: (server) => `export MLFLOW_TRACKING_URI=${server}\npython train.py`,
  },
  {
    title: 'OpenLineage',
    text: 'Airflow, Spark, Flink, dbt, Dagster: what every job read and wrote, down to columns.',
    commands: (server) => `export OPENLINEAGE_URL=${asBase(server)}\ndbt-ol run`,
  },
  {
    title: 'Predictions',
    text: 'Whatever serves your model reports what it answered, and on which features.',
    commands: (server) => `export WHEREFROM_URL=${server}
curl $WHEREFROM_URL/api/wherefrom/v1/predictions \\
  -H 'Content-Type: application/json' \\
  -d '{"predictions":[{
    "id":"p-1","modelVersion":"credit-risk@1",
    "features":{"age":67},"output":0.93,
    "decision":"refuse"}]}'`,
  },
  {
    title: 'Asking',
    text: 'From any terminal: where a prediction came from, or what a column has reached.',
    commands: (server) => `export WHEREFROM_URL=${server}
wherefrom trace p-1
wherefrom impact german_credit.csv#age`,
  },
];
