import { toWherefromError } from '../base/errors.ts';
import { isObject, list, text } from '../base/json.ts';
import { type Checkpoint, openCheckpoint } from '../ledger/index.ts';

/** The log that an export is checked against. */
export interface Log {
  readonly origin: string;
  /** Ed25519 public key, 32 bytes. */
  readonly publicKey: Uint8Array;
}

/** What an exported file claims about the log, and what of it cannot be. */
export interface ExportClaims {
  readonly checkpoints: readonly Checkpoint[];
  readonly problems: readonly string[];
  /** Answers of this log, to be asked for again. */
  readonly answers: readonly Readonly<Record<string, unknown>>[];
}

/**
 * Reads the claims of a file that was kept: a signed checkpoint, or the JSON of one or several
 * answers. Signatures are checked where there are any; roots are for the caller to recompute.
 */
export function readExport(content: string, log: Log): ExportClaims {
  const claims = new Claims(log);
  const trimmed = content.trimStart();
  if (trimmed.startsWith('{') || trimmed.startsWith('[')) claims.addJson(content);
  else claims.addNote(content);
  if (claims.checkpoints.length === 0 && claims.problems.length === 0) {
    claims.problems.push('The file holds no checkpoint: it is no answer of Wherefrom.');
  }
  return claims;
}

class Claims {
  readonly #log: Log;
  readonly checkpoints: Checkpoint[] = [];
  readonly problems: string[] = [];
  readonly answers: Record<string, unknown>[] = [];

  constructor(log: Log) {
    this.#log = log;
  }

  addNote(note: string): Checkpoint | undefined {
    try {
      const checkpoint = openCheckpoint(note, this.#log.origin, this.#log.publicKey);
      this.checkpoints.push(checkpoint);
      return checkpoint;
    } catch (thrown) {
      this.problems.push(toWherefromError(thrown).message);
      return undefined;
    }
  }

  addJson(content: string): void {
    try {
      this.#visit(JSON.parse(content));
    } catch {
      this.problems.push('The file is not JSON.');
    }
  }

  /** An answer, or answers by name as the demo writes them. */
  #visit(value: unknown): void {
    if (Array.isArray(value)) for (const one of value) this.#visit(one);
    if (!isObject(value)) return;
    if (isObject(value.checkpoint)) this.#addAnswer(value, value.checkpoint);
    else for (const one of Object.values(value)) if (isObject(one)) this.#visit(one);
  }

  #addAnswer(answer: Record<string, unknown>, checkpoint: Record<string, unknown>): void {
    const origin = text(checkpoint.origin) ?? '';
    const root = decodeRoot(text(checkpoint.root) ?? '');
    const { size } = checkpoint;
    if (typeof size !== 'number' || root === undefined) {
      this.problems.push('The checkpoint of the answer cannot be read.');
      return;
    }
    if (origin !== this.#log.origin) {
      this.problems.push(`The answer is of the log ${origin}, not of ${this.#log.origin}.`);
      return;
    }
    this.checkpoints.push({ origin, size, root });
    this.answers.push(answer);
    const signed = text(checkpoint.note);
    const opened = signed === undefined ? undefined : this.addNote(signed);
    if (opened && (opened.size !== size || !opened.root.equals(root))) {
      this.problems.push('The signed checkpoint of the answer is of another tree than it says.');
    }
    const beyond = positionsOf(answer).find((position) => position >= size);
    if (beyond !== undefined) {
      this.problems.push(
        `The answer stands on entry ${beyond}, its checkpoint on ${size} entries.`,
      );
    }
  }
}

function positionsOf(answer: Record<string, unknown>): number[] {
  const edges = list(answer.edges).filter(isObject);
  return edges.flatMap((edge) => list(edge.positions).filter((one) => typeof one === 'number'));
}

/** 32 bytes in base64 or hex. */
function decodeRoot(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, /^[0-9a-f]{64}$/.test(text) ? 'hex' : 'base64');
  return bytes.length === 32 ? bytes : undefined;
}
