import { WherefromError } from '../../base/errors.ts';
import { canonicalJson } from '../../base/json.ts';
import { limits } from '../../base/limits.ts';
import type { DecideContext, Operation, Tokenise } from '../../door/index.ts';
import type { Fact } from '../../facts/facts.ts';
import { type DeploymentRow, deploymentAt, deploymentRef } from '../../registry/index.ts';
import { type NamedVersion, timeOf } from './check.ts';
import {
  attributesOf,
  type DecidedDeployment,
  deploymentFacts,
  endFacts,
} from './deployment-facts.ts';
import { choose, NameReader } from './resolve.ts';
import type { DeploymentMessage, EndMessage } from './wire.ts';

/** What is answered about a deployment. */
export interface DeploymentAnswer {
  readonly ref: string;
  readonly name: string;
  readonly number: number;
  readonly modelVersion: string;
  readonly from: string;
  readonly until?: string;
  readonly status: 'recorded' | 'unchanged' | 'ended';
}

function answerOf(row: DeploymentRow, status: DeploymentAnswer['status']): DeploymentAnswer {
  return {
    ref: deploymentRef(row.workspace, row.name, row.number),
    name: row.name,
    number: row.number,
    modelVersion: row.modelVersion,
    from: new Date(row.from).toISOString(),
    ...(row.until === null ? {} : { until: new Date(row.until).toISOString() }),
    status,
  };
}

function tokeniseBy<Body extends { readonly by?: string | null | undefined }>(
  body: Body,
  tokenise: Tokenise,
): Body {
  return body.by ? { ...body, by: tokenise(body.by) } : body;
}

/**
 * `deployments`: a model version runs somewhere from a time on. Each change of a name's version or
 * interval is a deployment of its own; the one before ends where it begins.
 */
export const recordDeployment: Operation<DeploymentMessage, DeploymentAnswer> = {
  protocol: 'wherefrom',
  operation: 'deployments',
  persons: tokeniseBy,
  async decide(message, context) {
    const modelVersion = await getVersionRef(message, context);
    const rows = await context.state.registry.listDeployments(context.workspace, {
      name: message.name,
      limit: limits.deploymentsPerNameMax,
    });
    const same = findSame(message, modelVersion, { rows, now: context.time });
    if (same) return { outcome: 'unchanged', answer: answerOf(same, 'unchanged') };
    const decided = place(message, modelVersion, { rows, now: context.time });
    const { number, from, until } = decided;
    const row: DeploymentRow = {
      workspace: context.workspace,
      name: message.name,
      number,
      modelVersion,
      from,
      until,
      attributes: {},
    };
    return { outcome: 'accepted', decided, answer: answerOf(row, 'recorded') };
  },
  translate({ message, decided }, context) {
    // Stored by `decide` above, and JSON gives back what it was given.
    const facts = deploymentFacts(message, decided as DecidedDeployment, context);
    return { facts, warnings: [] };
  },
};

async function getVersionRef(message: DeploymentMessage, context: DecideContext): Promise<string> {
  const { modelVersion, model, version, alias } = message;
  const named: NamedVersion | undefined =
    modelVersion ||
    (model
      ? { model, version: version ?? undefined, alias: alias ?? undefined }
      : alias || undefined);
  if (named === undefined) {
    throw new WherefromError(
      'invalid_message',
      `The deployment "${message.name}" names no model version.`,
      { hint: 'Add "modelVersion": "name@3", or "name@alias".' },
    );
  }
  const names = new NameReader(context.state.registry, context.workspace);
  const found = await names.version(named);
  const ref = choose(found, context.time)?.ref;
  if (ref !== undefined) return ref;
  const problem = found.bare
    ? `"${found.text}" names a model without a version.`
    : `There is no model version "${found.text}".`;
  throw new WherefromError('not_found', problem, {
    hint: await suggest(found.text, context),
  });
}

async function suggest(text: string, { state, workspace }: DecideContext): Promise<string> {
  const name = text.replace(/^.*[:/]/, '').replace(/@[^@]*$/, '');
  const model = await state.registry.findModel(workspace, name);
  if (!model) return `No registered model is called "${name}". Register it first.`;
  const versions = await state.registry.listVersions(model.key, limits.candidatesMax);
  const numbers = versions.map(({ version }) => version).reverse();
  if (numbers.length === 0) return `The model "${name}" has no version yet.`;
  return `The model "${name}" has the versions ${numbers.join(', ')}.`;
}

/** The deployment that says already what the message says: without a time, that it runs now. */
function findSame(
  message: DeploymentMessage,
  modelVersion: string,
  { rows, now }: { readonly rows: readonly DeploymentRow[]; readonly now: number },
): DeploymentRow | undefined {
  const from = timeOf(message.from, 'from');
  const until = timeOf(message.until, 'until');
  const attributes = canonicalJson(attributesOf(message));
  return rows.find(
    (row) =>
      row.modelVersion === modelVersion &&
      (from === undefined
        ? row.from <= now && (row.until === null || now < row.until)
        : row.from === from) &&
      (until === undefined || row.until === until) &&
      canonicalJson(row.attributes) === attributes,
  );
}

/** Finds the interval of a new deployment among those of its name. @throws invalid_message, conflict. */
function place(
  message: DeploymentMessage,
  modelVersion: string,
  { rows, now }: { readonly rows: readonly DeploymentRow[]; readonly now: number },
): DecidedDeployment {
  const from = timeOf(message.from, 'from') ?? now;
  const until = timeOf(message.until, 'until');
  if (until !== undefined && until < from) {
    throw new WherefromError(
      'invalid_message',
      `The deployment "${message.name}" ends (until) before it begins (from).`,
      { hint: 'Swap them, or leave "until" out while it runs.' },
    );
  }
  const byStart = rows
    .filter((row) => row.until !== row.from)
    .sort((a, b) => a.from - b.from || a.number - b.number);
  const before = byStart.findLast((row) => row.from <= from);
  const after = byStart.find((row) => row.from > from);
  if (until !== undefined && after && until > after.from) {
    throw new WherefromError(
      'conflict',
      `The deployment "${message.name}" overlaps its number ${after.number}, which begins at ${new Date(after.from).toISOString()}.`,
      { hint: 'End it there, or leave "until" out.' },
    );
  }
  const overlaps = before && (before.until === null || before.until > from);
  return {
    number: Math.max(0, ...rows.map((row) => row.number)) + 1,
    modelVersion,
    from,
    until: until ?? after?.from ?? null,
    ended: overlaps
      ? { number: before.number, modelVersion: before.modelVersion, from: before.from }
      : null,
  };
}

/** A deployment that is to end. */
export interface SentEnd extends EndMessage {
  /** From the path: a name, or `name@number`. */
  readonly deployment: string;
}

export type DecidedEnd = {
  readonly name: string;
  readonly number: number;
  readonly modelVersion: string;
  readonly from: number;
  readonly until: number;
};

/** `deployments/end`. */
export const endDeployment: Operation<SentEnd, DeploymentAnswer> = {
  protocol: 'wherefrom',
  operation: 'deployments/end',
  persons: tokeniseBy,
  async decide(message, context) {
    const row = await getDeployment(message.deployment, context);
    const asked = timeOf(message.until, 'until');
    const ended =
      asked === undefined ? (row.until ?? Infinity) <= context.time : asked === row.until;
    if (ended) {
      return { outcome: 'unchanged', answer: answerOf(row, 'unchanged') };
    }
    const until = asked ?? context.time;
    if (until < row.from || (row.until !== null && until > row.until)) {
      throw new WherefromError(
        'conflict',
        `The deployment "${row.name}" (number ${row.number}) cannot end at ${new Date(until).toISOString()}.`,
        { hint: endHint(row) },
      );
    }
    const { name, number, modelVersion, from } = row;
    const decided: DecidedEnd = { name, number, modelVersion, from, until };
    return { outcome: 'accepted', decided, answer: answerOf({ ...row, until }, 'ended') };
  },
  translate({ message, decided }, context) {
    // Stored by `decide` above, and JSON gives back what it was given.
    const { name, ...ended } = decided as DecidedEnd;
    const facts: Fact[] = endFacts(name, ended, context);
    if (message.reason) {
      const ref = deploymentRef(context.workspace, name, ended.number);
      const { time } = context;
      facts.push({
        kind: 'entity.described',
        ref,
        time,
        attributes: { endReason: message.reason },
      });
    }
    return { facts, warnings: [] };
  },
};

/** When a deployment may end. One that never ran may: it is taken back. */
function endHint({ from, until }: DeploymentRow): string {
  const begin = new Date(from).toISOString();
  if (until === null)
    return `It begins at ${begin}, and can end ("until") then, as if it never ran, or later.`;
  return `It can end ("until") between ${begin} and ${new Date(until).toISOString()}.`;
}

/** @param deployment `name@number`, or a bare name: the one that runs now, else as `deploymentAt`. */
async function getDeployment(
  deployment: string,
  { state, workspace, time }: DecideContext,
): Promise<DeploymentRow> {
  const [, name = deployment, number] = /^(.+)@(\d{1,9})$/.exec(deployment) ?? [];
  const row =
    number === undefined
      ? deploymentAt(
          await state.registry.listDeployments(workspace, {
            name,
            limit: limits.deploymentsPerNameMax,
          }),
          time,
        )
      : await state.registry.findDeploymentByNumber(workspace, name, Number(number));
  if (row) return row;
  throw new WherefromError('not_found', `There is no deployment "${deployment}".`, {
    hint: 'Record it first with POST /api/wherefrom/v1/deployments.',
  });
}
