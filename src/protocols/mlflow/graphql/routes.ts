import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { isObject } from '../../../base/json.ts';
import type { ProtocolServices } from '../../services.ts';
import { invalidParameter } from '../errors.ts';
import { callOf } from '../routes.ts';
import type { Asked } from './answer.ts';

/** Characters of one query: bounds the work of reading it. */
const queryCharactersMax = 100_000;

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

/** GET and POST `/graphql`: what MLflow's pages read runs and experiments by. */
export function registerGraphql(app: FastifyInstance, services: ProtocolServices): void {
  app.route({
    method: ['GET', 'POST'],
    url: '/graphql',
    // Its mutations are searches: nothing is written here.
    config: { access: 'read' },
    handler: async (request: FastifyRequest, reply: FastifyReply) => {
      // Loaded with the first query: few servers are ever asked one.
      const { answer } = await import('./answer.ts');
      const result = await answer(readAsked(request), { call: callOf(request, reply), services });
      return reply.type('application/json').send(services.reveal(JSON.stringify(result)));
    },
  });
}
