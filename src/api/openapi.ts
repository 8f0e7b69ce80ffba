import { z } from 'zod';
import { type ErrorCode, errorCodes } from '../base/errors.ts';
import type { Json, JsonObject } from '../base/json.ts';
import { isObject } from '../base/json.ts';
import { componentSchemas } from './components.ts';
import { type ApiOperation, apiOperations } from './operations.ts';

const reference = (name: string): JsonObject => ({ $ref: `#/components/schemas/${name}` });

/** MLflow's own header, X-MLFLOW-WORKSPACE, means the same on every path. */
const workspaceParameter: JsonObject = {
  name: 'Wherefrom-Workspace',
  in: 'header',
  required: false,
  description:
    'Workspace that the request is about; the first of the key when absent. What lies in workspaces that the key may not use is neither shown nor walked through.',
  schema: { type: 'string', default: 'default' },
};

/**
 * The OpenAPI document of our own API, made of the contract's schemas.
 * Source: OpenAPI 3.1.1; its schemas are JSON Schema 2020-12.
 */
export function openApiDocument(version: string): JsonObject {
  const paths: Record<string, Record<string, Json>> = {};
  for (const operation of apiOperations) {
    paths[operation.path] = {
      ...paths[operation.path],
      [operation.method]: describeOperation(operation),
    };
  }
  return {
    openapi: '3.1.1',
    info: {
      title: 'Wherefrom',
      version,
      summary: 'Where did this prediction come from?',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    // Relative to this document, so that it also holds behind a base path.
    servers: [{ url: '../v1' }],
    security: [{ bearer: [] }, { basic: [] }, {}],
    tags: ['Questions', 'Records', 'Ledger', 'Server'].map((name) => ({ name })),
    paths,
    components: {
      schemas: describeSchemas(),
      parameters: { Workspace: workspaceParameter },
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: 'An API key.' },
        basic: { type: 'http', scheme: 'basic', description: 'Any user, the API key as password.' },
      },
    },
  };
}

function describeOperation(operation: ApiOperation): JsonObject {
  const parameters = [
    { $ref: '#/components/parameters/Workspace' },
    ...describeParameters(operation.params, 'path'),
    ...describeParameters(operation.query, 'query'),
  ];
  return {
    operationId: operation.id,
    tags: [operation.tag],
    summary: operation.summary,
    ...(operation.description === undefined ? {} : { description: operation.description }),
    parameters,
    ...(operation.body === undefined ? {} : { requestBody: describeBody(operation.body) }),
    responses: describeResponses(operation),
  };
}

function describeBody({
  schema,
  many,
  optional = false,
}: NonNullable<ApiOperation['body']>): JsonObject {
  const one = reference(schema);
  if (!many) return { required: !optional, content: { 'application/json': { schema: one } } };
  const anyForm = { oneOf: [one, { type: 'array', items: one }] };
  return {
    required: true,
    content: {
      'application/json': { schema: anyForm },
      'application/x-ndjson': { schema: one },
    },
  };
}

function describeResponses(operation: ApiOperation): JsonObject {
  const isSchema = !operation.answer.includes('/');
  const content = isSchema
    ? { 'application/json': { schema: reference(operation.answer) } }
    : { [operation.answer]: {} };
  const problem = { 'application/problem+json': { schema: reference('Problem') } };
  const done = operation.method === 'get' ? 'The answer.' : 'Nothing new: it was recorded before.';
  const responses: Record<string, Json> = { '200': { description: done, content } };
  if (operation.method === 'post') {
    responses['201'] = { description: 'Recorded; the receipt says where.', content };
  }
  for (const code of (operation.refusals ?? []) as readonly ErrorCode[]) {
    const { status, title } = errorCodes[code];
    responses[status] = { description: `${title} (${code}).`, content: problem };
  }
  responses.default = { description: 'Any other refusal.', content: problem };
  return responses;
}

function describeParameters(schema: z.ZodObject | undefined, where: 'path' | 'query'): Json[] {
  if (schema === undefined) return [];
  const described = plain(z.toJSONSchema(schema, { io: 'input' }));
  const required = Array.isArray(described.required) ? described.required : [];
  const properties = isObject(described.properties) ? described.properties : {};
  return Object.entries(properties).map(([name, property]) => {
    const { description, ...rest } = property as JsonObject;
    return {
      name,
      in: where,
      required: where === 'path' || required.includes(name),
      ...(description === undefined ? {} : { description }),
      schema: rest,
      ...(rest.type === 'array' ? { style: 'form', explode: false } : {}),
    };
  });
}

function describeSchemas(): JsonObject {
  // Inputs, not outputs: an output schema forbids other members, and answers gain members in time.
  const registry = z.registry<{ id: string }>();
  for (const schema of Object.values(componentSchemas)) registerAll(registry, schema);
  const { schemas } = z.toJSONSchema(registry, {
    io: 'input',
    uri: (id) => `#/components/schemas/${id}`,
    override: ({ jsonSchema }) => simplify(jsonSchema),
  });
  return Object.fromEntries(
    Object.entries(schemas).map(([name, schema]) => {
      const { $schema, $id, id, ...rest } = plain(schema);
      return [name, rest];
    }),
  );
}

/** Leaves out what says nothing to a reader: the pattern of a format, the largest safe integer. */
function simplify(schema: z.core.JSONSchema.BaseSchema): void {
  if (schema.format === 'date-time') delete schema.pattern;
  if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum;
  if (schema.minimum === Number.MIN_SAFE_INTEGER) delete schema.minimum;
  delete schema.propertyNames;
}

/** Adds a schema and, below it, every one that has a name of its own. */
function registerAll(registry: z.core.$ZodRegistry<{ id: string }>, schema: z.core.$ZodType): void {
  const id = z.globalRegistry.get(schema)?.id;
  if (id !== undefined) {
    if (registry.has(schema)) return;
    registry.add(schema, { id });
  }
  if (schema instanceof z.ZodObject) {
    for (const child of Object.values(schema.shape)) registerAll(registry, child);
  } else if (schema instanceof z.ZodArray) {
    registerAll(registry, schema.element as z.core.$ZodType);
  } else if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable) {
    registerAll(registry, schema.unwrap() as z.core.$ZodType);
  }
}

/** A schema as plain JSON, without undefined members or shared objects. */
function plain(schema: unknown): JsonObject {
  return JSON.parse(JSON.stringify(schema)) as JsonObject;
}
