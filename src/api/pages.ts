import { type ErrorCode, errorCodes } from '../base/errors.ts';
import type { Json, JsonObject } from '../base/json.ts';
import { isObject, list, text } from '../base/json.ts';
import { type ApiOperation, apiOperations } from './operations.ts';

const style = `
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
code, pre { font: 0.9em/1.4 ui-monospace, monospace; }
h2 { margin-top: 2.5rem; } h3 { margin: 1.5rem 0 0.25rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: 0.25rem 0.75rem 0.25rem 0; border-top: 1px solid #8886; }
.method { text-transform: uppercase; font-size: 0.8em; font-weight: 700; }
p { margin: 0.25rem 0; }`;

/** Content security of our own pages: nothing from elsewhere, no scripts. */
export const pagePolicy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";

function escapeHtml(value: string): string {
  return value.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escapeHtml(title)}</title><style>${style}</style></head><body>${body}</body></html>
`;
}

/** The operations of the API as a page of its own, made of the OpenAPI document. */
export function docsPage(document: JsonObject): string {
  const info = isObject(document.info) ? document.info : {};
  const groups = [...new Set(apiOperations.map(({ tag }) => tag))].map(
    (tag) =>
      `<h2>${tag}</h2>${apiOperations
        .filter((operation) => operation.tag === tag)
        .map((operation) => describe(operation, document))
        .join('')}`,
  );
  return page(
    'Wherefrom API',
    `<h1>Wherefrom API</h1>
<p>Version ${escapeHtml(text(info.version) ?? '')}. Paths are below <code>/api/wherefrom/v1</code>;
the same as <a href="openapi.json">OpenAPI 3.1</a>. Refusals are
<code>application/problem+json</code>.</p>${groups.join('')}`,
  );
}

function describe(operation: ApiOperation, document: JsonObject): string {
  const paths = isObject(document.paths) ? document.paths : {};
  const path = paths[operation.path];
  const described = isObject(path) ? path[operation.method] : undefined;
  // The header of every operation is described once, by reference.
  const parameters = list(isObject(described) ? described.parameters : []).filter(
    (parameter) => isObject(parameter) && parameter.name !== undefined,
  );
  const lines = [
    `<h3 id="${operation.id}"><span class="method">${operation.method}</span> <code>${escapeHtml(operation.path)}</code></h3>`,
    `<p>${escapeHtml(operation.summary)}</p>`,
    operation.description === undefined ? '' : `<p>${escapeHtml(operation.description)}</p>`,
    parameters.length === 0 ? '' : table(parameters),
    operation.body === undefined ? '' : members(operation.body.schema, document),
  ];
  return lines.join('');
}

function table(rows: readonly unknown[]): string {
  const cells = rows.filter(isObject).map((row) => {
    const name = text(row.name) ?? '';
    const required = row.required === true ? ' (required)' : '';
    return `<tr><td><code>${escapeHtml(name)}</code>${required}</td><td>${escapeHtml(text(row.description) ?? '')}</td></tr>`;
  });
  return `<table>${cells.join('')}</table>`;
}

function members(schemaName: string, document: JsonObject): string {
  const components = isObject(document.components) ? document.components : {};
  const schemas = isObject(components.schemas) ? components.schemas : {};
  const schema = schemas[schemaName];
  if (!isObject(schema) || !isObject(schema.properties)) return '';
  const required = list(schema.required);
  return table(
    Object.entries(schema.properties).map(([name, property]) => ({
      name,
      required: required.includes(name),
      description: isObject(property) ? property.description : undefined,
    })),
  );
}

/** What each code means to somebody who met it, beyond its title. */
const meanings: Readonly<Record<ErrorCode, string>> = {
  malformed_message:
    'The bytes are not what their media type says: broken JSON, a broken encoding.',
  unauthenticated: 'Send an API key: Authorization: Bearer KEY, or Basic with the key as password.',
  forbidden: 'The key is known, but its role or workspace does not allow this.',
  not_found: 'Nothing of that name is recorded. Names are exact; the problem lists near ones.',
  conflict:
    'The request contradicts what is recorded, or a short ref means several things: see `candidates`.',
  too_large: 'Send it in parts. The limit is in the detail.',
  unsupported_media: 'Check Content-Type and Content-Encoding.',
  invalid_message: 'It could be read, but members are missing, of the wrong type or out of range.',
  rate_limited: 'Send it again after the time in Retry-After.',
  internal: 'A fault of ours. The request id in `instance` finds it in the log of the server.',
  integrity_broken:
    'What is stored is not what was committed to. Writes have stopped; run `wherefrom verify`.',
  not_implemented: 'This server does not offer it, in this version or with this store.',
  overloaded: 'More messages wait than the server keeps. Send it again after Retry-After.',
  storage_unavailable: 'The disk is full or the store does not answer. Nothing was recorded.',
};

/** What an error code means, for programs. Undefined when there is no such code. */
export function problemMeaning(code: string): Record<string, Json> | undefined {
  if (!Object.hasOwn(errorCodes, code)) return undefined;
  const { title, status, retryable } = errorCodes[code as ErrorCode];
  return { code, title, status, retryable, meaning: meanings[code as ErrorCode] };
}

/** The same as a page. */
export function problemPage(meaning: Readonly<Record<string, Json>>): string {
  const { code, title, status, retryable } = meaning;
  return page(
    String(title),
    `<h1>${escapeHtml(String(title))}</h1><p><code>${escapeHtml(String(code))}</code>, HTTP status ${status}.
${retryable === true ? 'The same request may succeed later.' : 'The same request will be refused again.'}</p>
<p>${escapeHtml(String(meaning.meaning))}</p>`,
  );
}
