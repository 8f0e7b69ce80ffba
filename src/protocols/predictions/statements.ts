import { WherefromError } from '../../base/errors.ts';
import { text } from '../../base/json.ts';
import {
  type DecideContext,
  type Decision,
  type Operation,
  type Payload,
  replaceAgent,
  type Tokenise,
} from '../../door/index.ts';
import type { Translation } from '../../facts/facts.ts';
import { findRef, formatRef, type RefParts, workspaceOf } from '../../facts/ref.ts';
import { canonicalName } from '../../lineage/index.ts';
import type { ResolveShort } from '../services.ts';
import { timeOf } from './check.ts';
import { type RecordResult, type RecordsAnswer, RecordsAnswerBuilder } from './results.ts';
import type { StatementMessage } from './wire.ts';

export interface SentStatements {
  readonly statements: readonly StatementMessage[];
}

type DecidedStatement = {
  readonly id: string;
  readonly ref: string;
  readonly time: number;
  readonly validFrom: number | null;
  readonly validTo: number | null;
};

type Statements = Operation<SentStatements, RecordsAnswer, StatementMessage>;

/** `statements`: an approval, an assumption, an incident, a note … about anything that has a ref. */
export const makeStatements = (resolve: ResolveShort): Statements => ({
  protocol: 'wherefrom',
  operation: 'statements',
  persons: tokeniseStatements,
  decide: (body, context) => decideAll(body, context, resolve),
  translate,
});

async function decideAll(
  { statements }: SentStatements,
  context: DecideContext,
  resolve: ResolveShort,
): Promise<Decision<StatementMessage, RecordsAnswer>> {
  const results = new RecordsAnswerBuilder();
  const payloads: Payload<StatementMessage>[] = [];
  // A list is often about one thing.
  const found = new Map<string, Promise<string>>();
  const short = (text: string): Promise<string> => {
    const before = found.get(text) ?? resolve(context.state, text, context);
    found.set(text, before);
    return before;
  };
  const seen = new Set<string>();
  for (const [index, message] of statements.entries()) {
    const { ref, known } = await readRef(message.ref, short, context);
    const repeated = await findRepeated(message, ref, { seen, context });
    if (repeated) {
      results.add({ index, ...repeated });
      continue;
    }
    const refusal = refuseIdentity(message, ref) ?? (await refusePlace(message, ref, context));
    if (refusal) {
      results.add({ index, ...withId(message), status: 'refused', ...refusal });
      continue;
    }
    const id = message.id || `st_${context.random(12).toString('hex')}`;
    seen.add(id);
    payloads.push({ message, decided: decide(message, { id, ref, time: context.time }) });
    results.add({ index, id, ...(known ? { status: 'kept' } : unknownRef(ref)) });
  }
  const answer = results.finish(true);
  if (payloads.length === 0) return { outcome: 'unchanged', answer };
  return { outcome: 'acceptedSet', payloads, answer };
}

function translate({ message, decided }: Payload<StatementMessage>): Translation {
  // Stored by `decide` above, and JSON gives back what it was given.
  const { id, ref, time, validFrom, validTo } = decided as DecidedStatement;
  return {
    facts: [
      {
        kind: 'statement.made',
        id,
        ref,
        type: message.type,
        text: message.text ?? undefined,
        value: message.value ?? undefined,
        author: message.author ?? undefined,
        time,
        validFrom: validFrom ?? undefined,
        validTo: validTo ?? undefined,
        supersedes: message.supersedes ?? undefined,
      },
    ],
    warnings: [],
  };
}

function unknownRef(ref: string): Pick<RecordResult, 'status' | 'message'> {
  return { status: 'flagged', message: `Kept, but nothing is known of ${ref} yet.` };
}

/** Authors are persons, and so is an agent that a statement is about. */
function tokeniseStatements(body: SentStatements, tokenise: Tokenise): SentStatements {
  let found = false;
  const statements = body.statements.map((statement) => {
    const ref = replaceAgent(statement.ref, tokenise);
    const sent = text(statement.value?.of);
    const of = sent === undefined ? undefined : replaceAgent(sent, tokenise);
    if (!statement.author && ref === statement.ref && of === sent) return statement;
    found = true;
    return {
      ...statement,
      ref,
      ...(statement.author ? { author: tokenise(statement.author) } : {}),
      ...(of === undefined || of === sent ? {} : { value: { ...statement.value, of } }),
    };
  });
  return found ? { ...body, statements } : body;
}

function decide(
  message: StatementMessage,
  made: { readonly id: string; readonly ref: string; readonly time: number },
): DecidedStatement {
  const validFrom = timeOf(message.validFrom, 'validFrom') ?? null;
  const validTo = timeOf(message.validTo, 'validTo') ?? null;
  if (validFrom !== null && validTo !== null && validTo < validFrom) {
    throw new WherefromError(
      'invalid_message',
      `The statement about ${message.ref} is valid to (validTo) before it is valid from (validFrom).`,
      { hint: 'Swap them, or leave "validTo" out.' },
    );
  }
  return { ...made, validFrom, validTo };
}

/**
 * The whole ref that a statement is about.
 * @throws as `resolve` does for a short one; forbidden for one of another workspace.
 */
async function readRef(
  ref: string,
  resolve: (text: string) => Promise<string>,
  { state, workspace }: DecideContext,
): Promise<{ ref: string; known: boolean }> {
  const whole = findRef(ref);
  if ((workspaceOf(ref) ?? workspace) !== workspace) {
    throw new WherefromError('forbidden', `${ref.slice(0, 200)} is of another workspace.`, {
      hint: `This request is about the workspace ${workspace}; a header names another.`,
    });
  }
  if (whole?.kind === 'prediction') {
    const prediction = await state.predictions.find(workspace, whole.name);
    return { ref, known: prediction !== undefined };
  }
  if (whole) return { ref, known: (await state.lineage.findNode(ref)) !== undefined };
  return { ref: await resolve(ref), known: true };
}

/** A statement that was made before under the same id. */
async function findRepeated(
  { id, type }: StatementMessage,
  ref: string,
  { seen, context }: { readonly seen: ReadonlySet<string>; readonly context: DecideContext },
): Promise<Omit<RecordResult, 'index'> | undefined> {
  if (!id) return undefined;
  if (seen.has(id)) return { id, status: 'duplicate' };
  const before = await context.state.lineage.findStatement(id);
  if (!before) return undefined;
  if (before.ref !== ref) {
    const taken = `There is a statement ${id} about something else. Send it under another id.`;
    return { id, status: 'refused', message: taken };
  }
  if (before.type === type) return { id, status: 'duplicate' };
  const message = `The statement ${id} was made before with the type ${before.type}. Send it under another id.`;
  return { id, status: 'refused', message };
}

/** The id of a record that is refused, when it has one. */
function withId({ id }: StatementMessage): { readonly id?: string } {
  return id ? { id } : {};
}

type Refusal = Required<Pick<RecordResult, 'code' | 'message'>>;

/**
 * `alias` and `distinct` are about two names of one kind, both of the organisation (datasets, sources)
 * or both of the workspace that the request is about; `ref` is within its reach already.
 */
function refuseIdentity({ type, value }: StatementMessage, ref: string): Refusal | undefined {
  if (!identityTypes.has(type)) return undefined;
  const of = text(value?.of);
  const [one, other] = [findRef(ref), of === undefined ? undefined : findRef(of)];
  if (of === undefined || other === undefined) {
    const sent =
      of === undefined ? 'is missing' : `is "${of.slice(0, 200)}", which is no whole ref`;
    const hint = 'such as dataset:namespace/name';
    return { code: 'invalid_message', message: `"value.of" ${sent}: name the other one, ${hint}.` };
  }
  if (one?.kind !== other.kind) {
    const kinds = `${ref} is a ${one?.kind}, ${of.slice(0, 200)} a ${other.kind}`;
    return { code: 'invalid_message', message: `${kinds}: they cannot be one.` };
  }
  if (spellingOf(one) === spellingOf(other)) {
    const same = `${ref} and ${of.slice(0, 200)} are the same name: nothing is to be said of it.`;
    return { code: 'invalid_message', message: same };
  }
  if (workspaceOf(of) === workspaceOf(ref)) return undefined;
  return {
    code: 'forbidden',
    message: `${of.slice(0, 200)} is not of the workspace of ${ref}: they cannot be one.`,
  };
}

/** The ref in the spelling that all of its spellings share. */
function spellingOf(parts: RefParts): string {
  if (!['dataset', 'datasetVersion', 'field'].includes(parts.kind)) return formatRef(parts);
  const { namespace, name } = canonicalName(parts);
  return formatRef({ ...parts, namespace, name });
}

/** Of what was said about things of another workspace nothing is taken back. */
async function refusePlace(
  { supersedes }: StatementMessage,
  ref: string,
  { state }: DecideContext,
): Promise<Refusal | undefined> {
  const before = supersedes ? await state.lineage.findStatement(supersedes) : undefined;
  if (before === undefined) return undefined;
  const workspace = workspaceOf(before.ref);
  if (workspace === undefined || workspace === workspaceOf(ref)) return undefined;
  return {
    code: 'forbidden',
    message: `The statement ${supersedes} is about a thing of a workspace: only a statement about a thing of that workspace can take its place.`,
  };
}

/** Types of statements that say whether two names are one thing (decision 0028). */
const identityTypes: ReadonlySet<string> = new Set(['alias', 'distinct']);
