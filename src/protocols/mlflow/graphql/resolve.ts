import { type GraphQLFieldResolver, getNullableType, isListType, isObjectType } from 'graphql';
import { isObject } from '../../../base/json.ts';
import type { ProtocolServices } from '../../services.ts';
import { searchVersions } from '../registry/search.ts';
import { searchMessage } from '../registry/wire.ts';
import type { Call } from '../routes.ts';
import type { Answer } from '../tracking/answers.ts';
import { runRoot } from '../tracking/artifact-roots.ts';
import { listBelow } from '../tracking/artifact-routes.ts';
import { historyBulkInterval, searchDatasets } from '../tracking/chart-routes.ts';
import { getExperiment } from '../tracking/experiment-routes.ts';
import { getRun, searchRuns } from '../tracking/run-routes.ts';
import * as wire from '../tracking/wire.ts';
import { type BodyOf, type Fields, type Message, readMessage } from '../wire.ts';

/** What resolvers know besides their parent. */
export interface GraphqlContext {
  readonly call: Call;
  readonly services: ProtocolServices;
}

type RootField = (
  args: { readonly input?: unknown; readonly inputString?: string },
  context: GraphqlContext,
) => unknown;

const snake = (name: string): string =>
  name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** A root field that reads its input as the REST endpoint of the same name does. */
function field<F extends Fields>(
  message: Message<F>,
  resolve: (body: BodyOf<Message<F>>, context: GraphqlContext) => unknown,
): RootField {
  return ({ input }, context) => {
    const named = Object.entries(isObject(input) ? input : {}).map(([key, value]) => [
      snake(key),
      value,
    ]);
    return resolve(readMessage(message, Object.fromEntries(named)), context);
  };
}

const echo: RootField = ({ inputString }) => ({ output: inputString ?? null });
const runs = field(wire.searchRunsMessage, (body, { call, services }) =>
  searchRuns(body, call, services),
);

/** The fields of Query and Mutation. */
export const rootFields: Readonly<Record<string, RootField>> = {
  mlflowGetExperiment: field(wire.experimentMessage, (body, { call, services }) =>
    getExperiment(body, call, services),
  ),
  mlflowGetMetricHistoryBulkInterval: field(
    wire.historyBulkIntervalMessage,
    (body, { call, services }) => historyBulkInterval(body, call, services),
  ),
  mlflowGetRun: field(wire.runMessage, ({ run_id }, { call, services }) =>
    getRun(run_id, call, services),
  ),
  mlflowListArtifacts: field(
    wire.listArtifactsMessage,
    async ({ run_id, path }, { call, services }) =>
      listBelow(await runRoot(run_id, call, services), path, call, services),
  ),
  mlflowSearchModelVersions: field(searchMessage, (body, { call, services }) =>
    searchVersions(body, call, services),
  ),
  mlflowSearchRuns: runs,
  mlflowSearchDatasets: field(wire.searchDatasetsMessage, (body, { call, services }) =>
    searchDatasets(body, call, services),
  ),
  test: echo,
  testMutation: echo,
};

/** What a run has in GraphQL besides its REST shape. */
const runFields: Readonly<
  Record<string, (run: Answer, context: GraphqlContext) => Promise<unknown>>
> = {
  async experiment({ info }, { call, services }) {
    const id = isObject(info) ? String(info.experiment_id) : '';
    return (await getExperiment({ experiment_id: id }, call, services)).experiment;
  },
  async modelVersions({ info }, { call, services }) {
    const filter = `run_id='${isObject(info) ? info.run_id : ''}'`;
    return (await searchVersions({ filter }, call, services)).model_versions ?? [];
  },
};

/** What the protobuf says of a field that is not set. */
function unset(type: unknown, name: string): unknown {
  if (name === 'apiError') return null;
  if (isListType(type)) return [];
  if (isObjectType(type)) return {};
  const scalar = String(type);
  if (scalar === 'String') return '';
  if (scalar === 'LongString') return '0';
  if (scalar === 'Boolean') return false;
  return scalar === 'Float' || scalar === 'Int' ? 0 : null;
}

/** Fields by their names in REST answers; what is left out there has the protobuf's default here. */
export const resolveField: GraphQLFieldResolver<unknown, GraphqlContext> = (
  source,
  args,
  context,
  info,
) => {
  const { fieldName, parentType, returnType } = info;
  const parent = isObject(source) ? source : {};
  const root = source === rootFields ? rootFields[fieldName] : undefined;
  if (root !== undefined) return root(args, context);
  const own = parentType.name === 'MlflowRunExtension' ? runFields[fieldName] : undefined;
  if (own !== undefined) return own(parent, context);
  const value = parent[snake(fieldName)] ?? unset(getNullableType(returnType), fieldName);
  // GraphQL knows no NaN: MLflow answers null.
  return value === 'NaN' ? null : isLong(returnType) ? String(value) : value;
};

const isLong = (type: unknown): boolean => String(type) === 'LongString';
