import { sha256Hex } from '../../base/digest.ts';
import { limits } from '../../base/limits.ts';
import type { DatasetName } from '../../facts/lineage-facts.ts';
import { formatRef } from '../../facts/ref.ts';

/**
 * The longest each part may be inside a ref, percent-encoded, so that a whole ref
 * (namespace, name, version, field) stays below `limits.refCharactersMax`.
 */
const nameLimits = { namespace: 480, name: 1_000, version: 220, field: 220 } as const;
type NamePart = keyof typeof nameLimits;

/** A character costs at most this much in a ref: three UTF-8 bytes of white space, encoded. */
const encodedCharactersMax = 9;
const cutMark = '…sha256-';

/** Length of a part as `formatRef` writes it. */
function encodedLength(text: string, part: NamePart): number {
  const ref =
    part === 'namespace'
      ? formatRef({ kind: 'job', namespace: text, name: '' })
      : formatRef({ kind: 'job', namespace: '', name: text });
  return ref.length - 'job:/'.length;
}

/**
 * The text when it fits into a ref, otherwise its beginning with a digest of all of it, so that two
 * long names stay two. Lone surrogates become U+FFFD, as they would in the store.
 */
export function boundName(text: string, part: NamePart): string {
  const whole = text.toWellFormed();
  const max = nameLimits[part];
  if (whole.length * encodedCharactersMax <= max || encodedLength(whole, part) <= max) return whole;
  const mark = cutMark + sha256Hex(whole).slice(0, 32);
  let kept = whole.slice(0, max - mark.length);
  while (encodedLength(kept, part) + mark.length > max) {
    kept = kept.slice(0, Math.floor(kept.length * 0.8));
  }
  return kept.toWellFormed() + mark;
}

/** Ref of a run: `run:<workspace>/<runId>`. */
export function runRef(workspace: string, runId: string): string {
  return formatRef({ kind: 'run', namespace: workspace, name: runId });
}

/** Ref of a job: `job:<namespace>/<name>`, as the producer named it. */
export function jobRef(job: { readonly namespace: string; readonly name: string }): string {
  return formatRef({ kind: 'job', namespace: job.namespace, name: job.name });
}

/** Ref of a person or team; `name` is a token of the vault by then. */
export function agentRef(workspace: string, name: string): string {
  return formatRef({ kind: 'agent', namespace: workspace, name: boundName(name, 'name') });
}

/** A key for sets and maps of datasets. */
export function datasetKey(dataset: DatasetName): string {
  return `${dataset.namespace}\u0000${dataset.name}`;
}

const uuidPattern = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * A run id as its ref uses it. UUIDs are compared without case. Others (the specification would have
 * them hashed to a UUID) are kept as they are: the ref is what people search for, and a hash would
 * hide the id that their own tool shows them.
 */
export function normaliseRunId(id: string): string {
  const bounded = id.length > limits.idCharactersMax ? boundName(id, 'version') : id.toWellFormed();
  const short = boundName(bounded, 'version');
  return uuidPattern.test(short) ? short.toLowerCase() : short;
}
