import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import {
  buildSchema,
  type DocumentNode,
  execute,
  type GraphQLSchema,
  parse,
  validate,
} from 'graphql';
import { isObject } from '../../../base/json.ts';
import type { ProtocolServices } from '../../services.ts';
import { invalidParameter } from '../errors.ts';
import { callOf } from '../routes.ts';
import { checkQuery } from './caps.ts';
import { type GraphqlContext, resolveField, rootFields } from './resolve.ts';
import { graphqlSchema } from './schema.ts';

/** Characters of one query: bounds the work of reading it. */
const queryCharactersMax = 100_000;

interface Asked {
  readonly query: string;
  readonly variables?: Record<string, unknown>;
  readonly operationName?: string;
}

/** What a request asks: the body of a POST, the query string of a GET. */
function readAsked({ method, query, body }: FastifyRequest): Asked {
  const said = method === 'GET' ? query : body;
  if (!isObject(said) || typeof said.query !== 'string') {
    throw invalidParameter("Missing value for required parameter 'query'.");
  }
  if (said.query.length > queryCharactersMax) {
    throw invalidParameter(`A query can have at most ${queryCharactersMax} characters.`);
  }
  const variables =
    typeof said.variables === 'string' ? parseVariables(said.variables) : said.variables;
  return {
    query: said.query,
    ...(isObject(variables) ? { variables } : {}),
    ...(typeof said.operationName === 'string' ? { operationName: said.operationName } : {}),
  };
}

function parseVariables(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw invalidParameter("Invalid value for parameter 'variables' supplied: it must be JSON.");
  }
}

function parseQuery(query: string): DocumentNode {
  try {
    return parse(query);
  } catch (error) {
    throw invalidParameter(error instanceof Error ? error.message : 'The query cannot be read.');
  }
}

type Result = { readonly data: unknown; readonly errors: readonly string[] | null };

async function answer(
  schema: GraphQLSchema,
  asked: Asked,
  context: GraphqlContext,
): Promise<Result> {
  const document = parseQuery(asked.query);
  try {
    checkQuery(document);
  } catch (error) {
    // As MLflow answers it: 200 with the refusal among the errors.
    return { data: null, errors: [error instanceof Error ? error.message : String(error)] };
  }
  const invalid = validate(schema, document);
  if (invalid.length > 0) return { data: null, errors: invalid.map(({ message }) => message) };
  const result = await execute({
    schema,
    document,
    rootValue: rootFields,
    contextValue: context,
    variableValues: asked.variables,
    operationName: asked.operationName,
    fieldResolver: resolveField,
  });
  return {
    data: result.data ?? null,
    errors: result.errors?.map(({ message }) => message) ?? null,
  };
}

/** GET and POST `/graphql`: what MLflow's pages read runs and experiments by. */
export function registerGraphql(app: FastifyInstance, services: ProtocolServices): void {
  const schema = buildSchema(graphqlSchema);
  app.route({
    method: ['GET', 'POST'],
    url: '/graphql',
    // Its mutations are searches: nothing is written here.
    config: { access: 'read' },
    handler: async (request: FastifyRequest, reply: FastifyReply) => {
      const result = await answer(schema, readAsked(request), {
        call: callOf(request, reply),
        services,
      });
      return reply.type('application/json').send(services.reveal(JSON.stringify(result)));
    },
  });
}
