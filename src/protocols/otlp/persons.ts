import type { Tokenise } from '../../door/index.ts';
import type { OtlpAttribute } from '../../traces/index.ts';
import type { ExportBody } from './read.ts';

/**
 * Attributes whose value is a person or an account. Session and conversation ids stay.
 * Source: OpenTelemetry semantic conventions (user.*, enduser.*), mlflow/tracing/constant.py.
 */
const personKeys = new Set([
  'user.id',
  'user.name',
  'user.email',
  'user.full_name',
  'enduser.id',
  'enduser.pseudo.id',
  'mlflow.user',
  'mlflow.trace.user',
  'mlflow.traceTag.mlflow.user',
  'mlflow.auth.userId',
  'mlflow.auth.username',
  'process.owner',
]);

function hasPerson(attributes: readonly OtlpAttribute[] | undefined): boolean {
  return attributes?.some(({ key, value }) => personKeys.has(key) && value?.stringValue) === true;
}

function tokeniseAttributes(
  attributes: readonly OtlpAttribute[],
  tokenise: Tokenise,
): readonly OtlpAttribute[] {
  if (!hasPerson(attributes)) return attributes;
  return attributes.map((each) =>
    personKeys.has(each.key) && each.value?.stringValue
      ? { key: each.key, value: { stringValue: tokenise(each.value.stringValue) } }
      : each,
  );
}

/** Persons in attributes of spans and of what made them become tokens. */
export function tokenisePersons(body: ExportBody, tokenise: Tokenise): ExportBody {
  const some = body.resourceSpans.some(
    ({ resource, scopeSpans }) =>
      hasPerson(resource.attributes) ||
      scopeSpans.some(({ spans }) => spans.some(({ attributes }) => hasPerson(attributes))),
  );
  if (!some) return body;
  return {
    ...body,
    resourceSpans: body.resourceSpans.map((each) => ({
      resource: { attributes: tokeniseAttributes(each.resource.attributes, tokenise) },
      scopeSpans: each.scopeSpans.map((scope) => ({
        ...scope,
        spans: scope.spans.map((span) => ({
          ...span,
          attributes: tokeniseAttributes(span.attributes ?? [], tokenise),
        })),
      })),
    })),
  };
}
