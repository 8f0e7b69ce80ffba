import { buildSchema, type DocumentNode, execute, GraphQLError, parse, validate } from 'graphql';
import { invalidParameter } from '../errors.ts';
import { checkQuery, tooDeep } from './caps.ts';
import { type GraphqlContext, resolveField, rootFields } from './resolve.ts';
import { graphqlSchema } from './schema.ts';

/** What a request asks. */
export interface Asked {
  readonly query: string;
  readonly variables?: Record<string, unknown>;
  readonly operationName?: string;
}

const schema = buildSchema(graphqlSchema);

/** @throws GraphQLError; invalid_message for a query that asks too much. A query that is too deep to be read at all is refused as any that is too deep. */
function readQuery(query: string): DocumentNode {
  try {
    const document = parse(query);
    checkQuery(document);
    return document;
  } catch (error) {
    // The parser calls itself for each level: what it cannot hold has thousands of them.
    throw error instanceof RangeError ? tooDeep() : error;
  }
}

type Result = { readonly data: unknown; readonly errors: readonly string[] | null };

/**
 * What a query comes to, its errors as texts. @throws invalid_message when the query cannot be read.
 */
export async function answer(asked: Asked, context: GraphqlContext): Promise<Result> {
  let document: DocumentNode;
  try {
    document = readQuery(asked.query);
  } catch (error) {
    if (error instanceof GraphQLError) throw invalidParameter(error.message);
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
