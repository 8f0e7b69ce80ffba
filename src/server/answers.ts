import type { Answers, RefInput, Scope } from '../api/index.ts';
import { resolveRef, searchNames } from '../api/resolve.ts';
import { limits } from '../base/limits.ts';
import type {
  Answer,
  AnswerNode,
  AskedWith,
  Checkpoint,
  MomentInput,
  WalkInput,
} from '../contract/answer.ts';
import type { Completeness } from '../contract/completeness.ts';
import type { Statements } from '../contract/statements.ts';
import type { ReadSession } from '../door/index.ts';
import { findRef, workspaceOf } from '../facts/ref.ts';
import { type LogHead, type Signer, signCheckpoint } from '../ledger/index.ts';
import {
  type Changed,
  createMemories,
  diffTraces,
  type GraphAnswer,
  GraphView,
  impact,
  iso,
  judge,
  type LineageSources,
  listStatements,
  type Moment,
  type PredictionSource,
  trace,
  type WalkQuery,
  walkLimits,
} from '../lineage/index.ts';
import { findRunDetails, type RunDetails } from '../tracking/index.ts';
import { markDeletedWorkspaces } from './deleted-workspaces.ts';
import { findPredictions, predictionsLedTo } from './found-predictions.ts';
import { createRecordedMetrics } from './recorded-metrics.ts';
import { countTraces } from './trace-predictions.ts';

export interface AnswersOptions {
  read<T>(query: (session: ReadSession) => T | Promise<T>): Promise<T>;
  readonly signer: Signer;
  /** What entries from a position on changed in the graph. */
  graphChanges(position: number): Changed;
  /** Puts tokens in place of persons, so that a path with a user's name is found. */
  tokenise(text: string): string;
  /** The token of a person, if it has one. */
  findToken(person: string): string | undefined;
  /** ms since 1970. */
  now(): number;
  /** Answers as if asked at this time, ms since 1970, to compare with an answer of then. */
  readonly askedTime?: number | undefined;
}

/** What clients send for a user whom they do not know: MlflowClient.create_run sends `unknown`. */
const nobodies = ['unknown', 'anonymous', 'nobody', 'none'];

/** A question: about which moment, and how far. */
type QuestionInput = Omit<WalkInput, 'ref'>;

/** The questions of DESIGN.md section 6 over one store; each is answered on one snapshot. */
export function createAnswers(options: AnswersOptions): Answers {
  const { read } = options;
  const prepare = createPrepare(options);
  const present = (): Moment => ({
    position: Number.MAX_SAFE_INTEGER,
    at: undefined,
    now: options.now(),
  });
  const walk = (direction: 'trace' | 'impact', input: WalkInput, scope: Scope): Promise<Answer> =>
    read(async (session) => {
      const { asOf, asked, checkpoint, ask } = await prepare(session, input, scope);
      const answer = await ask(input.ref, direction === 'trace' ? trace : impact);
      return seal({ ...answer, asked }, asOf, input.at, checkpoint());
    });
  return {
    trace: (input, scope) => walk('trace', input, scope),
    impact: (input, scope) => walk('impact', input, scope),
    completeness: (input, scope) =>
      read(async (session) => {
        // As far as the server walks at all: what was not reached is not missing.
        const whole = { ...input, depth: limits.depthMax, nodes: limits.nodesMax };
        return completenessOf(input, await prepare(session, whole, scope));
      }),
    statements: (input, scope) =>
      read(async (session) => statementsOf(input, await prepare(session, input, scope))),
    diff: (input, scope) =>
      read(async (session) => {
        const { checkpoint, ask } = await prepare(session, input, scope);
        const left = await ask(input.a, trace);
        const right = await ask(input.b, trace);
        return { ...diffTraces(left, right), checkpoint: checkpoint() };
      }),
    resolve: (text, scope) =>
      read((session) =>
        resolveRef(session, options.tokenise(text), { ...scope, moment: present() }),
      ),
    search: (query, limit, scope) =>
      read((session) => searchNames(session, options.tokenise(query), { ...scope, limit })),
  };
}

/** All that questions about one moment share. */
interface Prepared {
  readonly asOf: { readonly position: number; readonly recordedTime: number | null };
  readonly asked: AskedWith;
  checkpoint(): Checkpoint;
  /** @throws as `resolveRef` does, and not_found. */
  ask<T>(
    text: string,
    question: (query: WalkQuery, sources: LineageSources) => Promise<T>,
  ): Promise<T>;
}

type Prepare = (session: ReadSession, input: QuestionInput, scope: Scope) => Promise<Prepared>;

function createPrepare(options: AnswersOptions): Prepare {
  const withMemory = createMemories(options.graphChanges);
  const checkpointAt = createCheckpoints(options.signer);
  const isNobody = (name: string): boolean =>
    nobodies.some((nobody) => name.toLowerCase() === nobody || name === options.findToken(nobody));
  return async (session, input, scope) => {
    const head = await session.ledger.head();
    const asOf = await momentOf(input, session, head);
    // What was true by then, where no other time is asked for.
    const recorded = input.asOf === undefined ? undefined : asOf.recordedTime;
    const now = options.askedTime ?? recorded ?? options.now();
    const moment = { position: asOf.position, at: input.at, now };
    const instant = input.asOf === undefined ? input.at : (input.at ?? now);
    return {
      asOf,
      asked: askedWith(input, scope, now),
      checkpoint: () => checkpointAt(head),
      async ask(text, question) {
        const where = { ...scope, moment, instant };
        const { ref } = await resolveRef(session, options.tokenise(text), where);
        const query = {
          ref,
          moment,
          limits: walkLimits(input.depth, input.nodes, seesOf(scope)),
          columns: input.columns ?? false,
          kinds: input.kinds,
        };
        return withMemory(head.size, moment, (memory) =>
          question(query, sourcesOf(session, memory, isNobody)),
        );
      },
    };
  };
}

/** Signs once for each size of the log. */
function createCheckpoints(signer: Signer): (head: LogHead) => Checkpoint {
  let newest: Checkpoint | undefined;
  return (head) => {
    if (newest?.size !== head.size) newest = checkpointOf(head, signer);
    return newest;
  };
}

/** The question, without what is as usual. */
function askedWith(
  { depth, nodes, columns, kinds }: QuestionInput,
  { reach }: Scope,
  time: number,
): AskedWith {
  return {
    time: iso(time),
    ...(depth !== undefined && { depth }),
    ...(nodes !== undefined && { nodes }),
    ...(columns && { columns }),
    ...(kinds !== undefined && { kinds: [...kinds] }),
    ...(reach !== 'all' && { reach: [...reach] }),
  };
}

async function completenessOf(
  { ref, at }: RefInput,
  { asOf, asked, checkpoint, ask }: Prepared,
): Promise<Completeness> {
  const { answer, checks } = await ask(ref, judge);
  const { score, missing, notJudged } = answer.completeness;
  return {
    ref: answer.ref,
    asOf: { position: asOf.position },
    at: at === undefined ? null : iso(at),
    score,
    checks: [...checks],
    missing,
    ...(notJudged && { notJudged }),
    stopped: answer.stopped,
    asked,
    checkpoint: checkpoint(),
  };
}

async function statementsOf(
  input: RefInput,
  { asOf, asked, checkpoint, ask }: Prepared,
): Promise<Statements> {
  const { ref, statements } = await ask(input.ref, async ({ ref, moment }, { reader }) => ({
    ref,
    statements: await listStatements(new GraphView(reader, moment), ref),
  }));
  return {
    ref,
    asOf: { position: asOf.position },
    at: input.at === undefined ? null : iso(input.at),
    statements: [...statements],
    asked,
    checkpoint: checkpoint(),
  };
}

/** What may be shown: everything of the organisation, and of the workspaces in reach. */
function seesOf({ reach }: Scope): ((ref: string) => boolean) | undefined {
  if (reach === 'all') return undefined;
  const names = new Set(reach);
  return (ref) => {
    const workspace = workspaceOf(ref);
    return workspace === undefined || names.has(workspace);
  };
}

/** What had been recorded: a position, or what a time of recording comes to. */
async function momentOf(
  input: MomentInput,
  session: ReadSession,
  head: LogHead,
): Promise<{ position: number; recordedTime: number | null }> {
  const newest = head.size - 1;
  if (input.asOf === undefined)
    return { position: newest, recordedTime: head.size === 0 ? null : head.time };
  const position =
    'position' in input.asOf
      ? Math.min(input.asOf.position, newest)
      : await session.ledger.positionAt(input.asOf.recordedTime);
  return { position, recordedTime: (await session.ledger.timeOf(position)) ?? null };
}

function seal(
  answer: GraphAnswer & Pick<Answer, 'asked'>,
  asOf: { position: number; recordedTime: number | null },
  at: number | undefined,
  checkpoint: Checkpoint | null,
): Answer {
  const { ref, direction, ...rest } = answer;
  return {
    ref,
    direction,
    asOf: {
      position: asOf.position,
      recordedTime: asOf.recordedTime === null ? null : iso(asOf.recordedTime),
    },
    at: at === undefined ? null : iso(at),
    ...rest,
    checkpoint,
  };
}

/** The checkpoint that the proofs of an answer's positions are made against. */
export function checkpointOf(head: LogHead, signer: Signer): Checkpoint {
  return {
    origin: signer.origin,
    size: head.size,
    root: Buffer.from(head.root).toString('base64'),
    note: signCheckpoint(head, signer),
  };
}

/** The graph, the prediction log and the tracking tables, as answers put them together. */
function sourcesOf(
  session: ReadSession,
  memory: LineageSources['memory'],
  isNobody: LineageSources['isNobody'],
): LineageSources {
  return {
    reader: session.lineage,
    predictions: predictionSource(session),
    enrich: async (nodes, moment) =>
      markDeletedWorkspaces(session, await enrichRuns(session, nodes, moment), moment),
    timesOf: async (positions) => session.ledger.timesOf(positions),
    isNobody,
    memory,
  };
}

/** Runs with their parameters and metrics: those of one workspace are asked for together. */
async function enrichRuns(
  session: ReadSession,
  nodes: readonly AnswerNode[],
  moment: Moment,
): Promise<AnswerNode[]> {
  const runs = nodes.flatMap(({ kind, ref }) => {
    const parts = kind === 'run' ? findRef(ref) : undefined;
    return parts === undefined ? [] : [{ ref, workspace: parts.namespace, id: parts.name }];
  });
  const { size } = await session.ledger.head();
  const position = moment.position >= size - 1 ? undefined : moment.position;
  const { at } = moment;
  const past =
    position === undefined && at === undefined
      ? undefined
      : { position, at, recorded: createRecordedMetrics(session) };
  const found = new Map<string, RunDetails>();
  for (const [workspace, asked] of Map.groupBy(runs, (run) => run.workspace)) {
    const ids = asked.map(({ id }) => id);
    const details = await findRunDetails(session.tracking, workspace, ids, past);
    for (const { ref, id } of asked) {
      const each = details.get(id);
      if (each !== undefined) found.set(ref, each);
    }
  }
  return nodes.map((node) => withDetails(node, found.get(node.ref)));
}

function withDetails(node: AnswerNode, details: RunDetails | undefined): AnswerNode {
  if (details === undefined) return node;
  const metrics = Object.fromEntries(
    Object.entries(details.metrics).map(([name, value]) => [
      name,
      Number.isFinite(value) ? value : String(value),
    ]),
  );
  return {
    ...node,
    attributes: {
      ...node.attributes,
      ...(Object.keys(details.params).length > 0 ? { parameters: { ...details.params } } : {}),
      ...(Object.keys(metrics).length > 0 ? { metrics } : {}),
    },
  };
}

function predictionSource(session: ReadSession): PredictionSource {
  return {
    find: (refs, moment) => findPredictions(session, refs, moment),
    ledTo: (ref, limit) => predictionsLedTo(session, ref, limit),
    countTraces: (refs, moment) => countTraces(session, refs, moment),
    async count(modelVersions, deployments, moment) {
      const { size } = await session.ledger.head();
      const asOf = moment.position >= size - 1 ? undefined : moment.position;
      const counts = [];
      for (const row of await session.predictions.countByDeployment(deployments, asOf, moment.at)) {
        if (row.deployment !== null)
          counts.push({ ref: row.deployment, kind: 'prediction' as const, count: row.count });
      }
      const reached = new Set(deployments);
      for (const row of await session.predictions.countByModelVersion(
        modelVersions,
        asOf,
        moment.at,
      )) {
        // Those of a deployment that was reached are counted there.
        if (row.modelVersion === null || (row.deployment !== null && reached.has(row.deployment)))
          continue;
        counts.push({ ref: row.modelVersion, kind: 'prediction' as const, count: row.count });
      }
      return counts;
    },
  };
}
