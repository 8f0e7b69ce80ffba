import { buildSchema, type DocumentNode, execute, parse, validate } from 'graphql';
import { invalidParameter } from '../errors.ts';
import { checkQuery } from './caps.ts';
import { type GraphqlContext, resolveField, rootFields } from './resolve.ts';
import { graphqlSchema } from './schema.ts';

/** What a request asks. */
export interface Asked {
  readonly query: string;
  readonly variables?: Record<string, unknown>;
  readonly operationName?: string;
}

const schema = buildSchema(graphqlSchema);

function parseQuery(query: string): DocumentNode {
  try {
    return parse(query);
  } catch (error) {
    throw invalidParameter(error instanceof Error ? error.message : 'The query cannot be read.');
  }
}

type Result = { readonly data: unknown; readonly errors: readonly string[] | null };

/**
 * What a query comes to, its errors as texts. @throws invalid_message when the query cannot be read.
 */
export async function answer(asked: Asked, context: GraphqlContext): Promise<Result> {
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
