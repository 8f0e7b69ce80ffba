import { WherefromError } from '../base/errors.ts';
import { type EntityKind, isEntityKind, workspaceKinds } from './kinds.ts';

/**
 * The one text form of an identity: `kind:namespace/name[@version][~n][#field]`.
 * `~n` tells apart a name that is used again after a delete, rename or drop (n >= 2).
 */
export interface RefParts {
  readonly kind: EntityKind;
  readonly namespace: string;
  readonly name: string;
  readonly version?: string | undefined;
  readonly generation?: number | undefined;
  readonly field?: string | undefined;
}

const inNamespace = /[/@#~%\s]/g;
const inName = /[@#~%\s]/g;
const encode = (character: string): string => encodeURIComponent(character).replace('~', '%7E');

/** Writes a ref. Characters that would be read as its punctuation are percent-encoded. */
export function formatRef(parts: RefParts): string {
  let ref = `${parts.kind}:${parts.namespace.replace(inNamespace, encode)}/${parts.name.replace(inName, encode)}`;
  if (parts.version !== undefined) ref += `@${parts.version.replace(inName, encode)}`;
  if (parts.generation !== undefined && parts.generation > 1) ref += `~${parts.generation}`;
  if (parts.field !== undefined) ref += `#${parts.field.replace(inName, encode)}`;
  return ref;
}

const pattern = /^([a-zA-Z]+):([^/@#~]*)\/([^@#~]*)(?:@([^@#~]*))?(?:~([1-9]\d{0,8}))?(?:#(.*))?$/s;

function decode(text: string, ref: string): string {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch (cause) {
    throw new WherefromError('malformed_message', `The ref ${ref} has a broken percent-encoding.`, {
      hint: 'Encode / @ # ~ % in the namespace and @ # ~ % in the name as %2F %40 %23 %7E %25.',
      cause,
    });
  }
}

/** Reads a whole ref, or returns undefined when the text is not of that form (a short ref, for example). */
export function findRef(ref: string): RefParts | undefined {
  const match = pattern.exec(ref);
  const kind = match?.[1];
  if (!match || kind === undefined || !isEntityKind(kind)) return undefined;
  return {
    kind,
    namespace: decode(match[2] ?? '', ref),
    name: decode(match[3] ?? '', ref),
    version: match[4] === undefined ? undefined : decode(match[4], ref),
    generation: match[5] === undefined ? undefined : Number(match[5]),
    field: match[6] === undefined ? undefined : decode(match[6], ref),
  };
}

/** Begins the namespace of models that a provider runs: no workspace has a colon in its name. */
export const outsideNamespace = 'provider:';

/**
 * The workspace that a thing lives in; undefined for what is the organisation's, or outside of it.
 * Code without a repository is a script of a workspace; no address of a repository looks like a
 * workspace's name.
 */
export function workspaceOf(ref: string): string | undefined {
  const parts = findRef(ref);
  if (parts === undefined || parts.namespace.startsWith(outsideNamespace)) return undefined;
  const isScript = parts.kind === 'code' && /^[-a-z0-9]+$/.test(parts.namespace);
  return isScript || workspaceKinds.has(parts.kind) ? parts.namespace : undefined;
}

/** Reads a whole ref. @throws malformed_message when it is not one. */
export function parseRef(ref: string): RefParts {
  const parts = findRef(ref);
  if (parts) return parts;
  throw new WherefromError('malformed_message', `"${ref.slice(0, 200)}" is not a ref.`, {
    hint: 'A ref reads kind:namespace/name[@version][~n][#field], for example modelVersion:default/credit-risk@1.',
  });
}
