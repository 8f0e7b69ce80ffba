import { canonicalJson, isObject, type JsonObject, texts } from '../../base/json.ts';
import type { DecideContext, Operation, Payload, Tokenise } from '../../door/index.ts';
import type { PredictionRow } from '../../predictions/index.ts';
import { type NamedVersion, type PredictionMessage, timeOf } from './check.ts';
import { type Choice, choose, type Named, NameReader, unknownVersion } from './resolve.ts';
import { type RecordResult, type RecordsAnswer, RecordsAnswerBuilder } from './results.ts';

/** All predictions of one request. */
export interface SentPredictions {
  readonly predictions: readonly PredictionMessage[];
}

/** What the door decided for a prediction, once and for all. */
type DecidedPrediction = {
  readonly id: string;
  readonly time: number;
  readonly modelVersion?: string;
  readonly deployment?: string;
  readonly unknown?: string;
};

/**
 * `predictions`: each becomes a message of its own, so that one can be proved alone. What a
 * prediction names is looked up once, here; what is not known is kept and flagged.
 */
export const recordPredictions: Operation<SentPredictions, RecordsAnswer, PredictionMessage> = {
  protocol: 'wherefrom',
  operation: 'predictions',
  canonical: true,
  persons: tokenisePredictions,
  async decide({ predictions }, context) {
    const decider = await createDecider(predictions, context);
    const payloads: Payload<PredictionMessage>[] = [];
    for (const [index, message] of predictions.entries()) {
      const decided = await decider.decide(message, index);
      if (decided !== undefined) payloads.push({ message, decided });
    }
    const answer = decider.results.finish(predictions.some(({ id }) => !id));
    if (payloads.length === 0) return { outcome: 'unchanged', answer };
    return { outcome: 'acceptedSet', payloads, answer };
  },
  translate({ message, decided }) {
    const { id, time, modelVersion, deployment, unknown } = readDecided(decided);
    const parents = message.parents === undefined ? undefined : texts(message.parents);
    const served = { id, time, modelVersion, deployment, unknown, parents };
    return { facts: [{ kind: 'prediction.served', ...served, message }], warnings: [] };
  },
};

function readDecided(decided: JsonObject): DecidedPrediction {
  // Stored by `decide` below, and JSON gives back what it was given.
  return decided as DecidedPrediction;
}

/** The subject, and who decided, are persons. */
function tokenisePredictions(body: SentPredictions, tokenise: Tokenise): SentPredictions {
  let found = false;
  const predictions = body.predictions.map((prediction) => {
    const { subject, decision } = prediction;
    const by = isObject(decision) && typeof decision.by === 'string' ? decision.by : '';
    if (!subject && by === '') return prediction;
    found = true;
    return {
      ...prediction,
      ...(subject ? { subject: tokenise(subject) } : {}),
      ...(isObject(decision) && by !== '' ? { decision: { ...decision, by: tokenise(by) } } : {}),
    };
  });
  return found ? { ...body, predictions } : body;
}

/** The version that a message names, in whichever member. */
function namedVersion(message: PredictionMessage): NamedVersion | undefined {
  const { modelVersion, model, alias, version } = message;
  if (modelVersion) return modelVersion;
  if (!model) return alias || undefined;
  return { model, version: version ?? undefined, alias: alias ?? undefined };
}

/** A UUID of version 7 of the time and 10 random bytes. Source: RFC 9562 section 5.7. */
function makeId(time: number, random: Uint8Array): string {
  const bytes = Buffer.alloc(16);
  bytes.writeUIntBE(time, 0, 6);
  bytes.set(random, 6);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x70;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

class Decider {
  readonly results = new RecordsAnswerBuilder();
  readonly #context: DecideContext;
  readonly #names: NameReader;
  /** Recorded before, by id; undefined when its content was erased. */
  readonly #stored: ReadonlyMap<string, unknown>;
  /** Of this request, by id. */
  readonly #accepted = new Map<string, PredictionMessage>();
  readonly #random: Buffer;
  #made = 0;

  constructor(context: DecideContext, stored: ReadonlyMap<string, unknown>, random: Buffer) {
    this.#context = context;
    this.#names = new NameReader(context.state.registry, context.workspace);
    this.#stored = stored;
    this.#random = random;
  }

  /** What is decided for a new prediction; undefined for a duplicate or a refused one. */
  async decide(message: PredictionMessage, index: number): Promise<DecidedPrediction | undefined> {
    const { time: now } = this.#context;
    if (message.id) {
      const ended = this.#recognise(message.id, message, index);
      if (ended !== undefined) {
        this.results.add(ended);
        return undefined;
      }
    }
    const id = message.id || this.#makeId(now);
    this.#accepted.set(id, message);
    const time = timeOf(message.time) ?? now;
    const resolved = await this.#resolve(message, time);
    const decided = { id, time, ...resolved };
    this.results.add({
      index,
      id,
      status: decided.unknown === undefined ? 'kept' : 'flagged',
      ...(decided.unknown === undefined
        ? {}
        : { message: flagOf(decided.modelVersion, decided.unknown) }),
    });
    return decided;
  }

  #makeId(now: number): string {
    const start = this.#made * 10;
    this.#made += 1;
    return makeId(now, this.#random.subarray(start, start + 10));
  }

  /** How a prediction ends whose id was seen before. */
  #recognise(id: string, message: PredictionMessage, index: number): RecordResult | undefined {
    const before = this.#accepted.get(id) ?? this.#stored.get(id);
    if (before === undefined && !this.#stored.has(id)) return undefined;
    if (before !== undefined && canonicalJson(before) === canonicalJson(message)) {
      return { index, id, status: 'duplicate' };
    }
    const problem =
      before === undefined
        ? `The prediction ${id} was recorded before and then erased.`
        : `The prediction ${id} was recorded before with other content.`;
    return { index, id, status: 'refused', message: `${problem} Send a new one under another id.` };
  }

  async #resolve(
    message: PredictionMessage,
    time: number,
  ): Promise<Omit<DecidedPrediction, 'id' | 'time'>> {
    const named = namedVersion(message);
    const version = named === undefined ? undefined : await this.#names.version(named);
    const deployment = message.deployment
      ? await this.#names.deployment(message.deployment)
      : undefined;
    return join(
      version && { named: version, choice: choose(version, time) },
      deployment && { named: deployment, choice: choose(deployment, time) },
      time,
    );
  }
}

/** What is said of a prediction that is flagged. */
function flagOf(modelVersion: string | undefined, unknown: string): string {
  return modelVersion === undefined
    ? `Kept, but not joined: ${unknown}`
    : `Kept, and joined to ${modelVersion}, but to no deployment: ${unknown}`;
}

interface Resolved {
  readonly named: Named;
  readonly choice: Choice | undefined;
}

function join(
  version: Resolved | undefined,
  deployment: Resolved | undefined,
  time: number,
): Omit<DecidedPrediction, 'id' | 'time'> {
  const modelVersion = version?.choice?.ref;
  const running = deployment?.choice;
  const unknown: string[] = [];
  if (version && modelVersion === undefined) {
    unknown.push(unknownVersion(version.named));
  }
  if (deployment && !running) {
    const { text, choices } = deployment.named;
    unknown.push(
      choices.length === 0
        ? `no deployment "${text}" is known.`
        : `the deployment "${text}" was not active at ${new Date(time).toISOString()}.`,
    );
  }
  if (running && version && running.modelVersion !== modelVersion) {
    unknown.push(`the deployment ${running.ref} runs ${running.modelVersion}, not that version.`);
  }
  const consistent = running && (!version || running.modelVersion === modelVersion);
  const ref = modelVersion ?? (version ? undefined : running?.modelVersion);
  return {
    ...(ref === undefined ? {} : { modelVersion: ref }),
    ...(consistent && running.ref !== undefined ? { deployment: running.ref } : {}),
    ...(unknown.length === 0 ? {} : { unknown: unknown.join(' ') }),
  };
}

async function createDecider(
  predictions: readonly PredictionMessage[],
  context: DecideContext,
): Promise<Decider> {
  const ids = predictions.flatMap(({ id }) => id || []);
  const rows = ids.length === 0 ? [] : await findStored(ids, context);
  const messages = rows.length === 0 ? [] : await context.state.predictions.readMessages(rows);
  const stored = new Map(rows.map((row, index) => [row.id, messages[index]]));
  const missing = predictions.length - ids.length;
  return new Decider(context, stored, context.random(missing * 10));
}

async function findStored(
  ids: readonly string[],
  context: DecideContext,
): Promise<PredictionRow[]> {
  const { state, workspace } = context;
  const [id] = ids;
  if (ids.length > 1 || id === undefined) return state.predictions.findMany(workspace, ids);
  const row = await state.predictions.find(workspace, id);
  return row ? [row] : [];
}
