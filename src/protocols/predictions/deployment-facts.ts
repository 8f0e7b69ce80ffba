import { isObject, type JsonObject, text } from '../../base/json.ts';
import type { Fact, FactContext } from '../../facts/facts.ts';
import { findRef, formatRef } from '../../facts/ref.ts';
import { deploymentRef } from '../../registry/index.ts';
import type { DeploymentMessage } from './wire.ts';

const rule = 'wherefrom.deployments';

/** What the door decided for a deployment. */
export type DecidedDeployment = {
  readonly number: number;
  readonly modelVersion: string;
  readonly from: number;
  readonly until: number | null;
  /** The deployment that this one takes over from. */
  readonly ended: {
    readonly number: number;
    readonly modelVersion: string;
    readonly from: number;
  } | null;
};

/** Everything that was said about a deployment but its name, version and interval. */
export function attributesOf(message: DeploymentMessage): JsonObject {
  const { name: _, modelVersion, model, version, alias, from, until, ...said } = message;
  const present = Object.entries(said).filter(([, value]) => value !== undefined && value !== null);
  // Members of a message are JSON: they were read from it.
  return Object.fromEntries(present) as JsonObject;
}

/** What a deployment means: for the registry, and for the graph. */
export function deploymentFacts(
  message: DeploymentMessage,
  decided: DecidedDeployment,
  context: FactContext,
): Fact[] {
  const { workspace, time: recorded } = context;
  const { number, modelVersion, from, ended } = decided;
  const until = decided.until ?? undefined;
  const { name } = message;
  const ref = deploymentRef(workspace, name, number);
  const said = attributesOf(message);
  const attributes = { name, modelVersion, ...said, from: timeText(from), until: untilText(until) };
  const relation = {
    kind: 'relation.stated',
    to: ref,
    known: 'declared',
    rule,
    time: from,
    until,
  } as const;
  return [
    ...(ended === null ? [] : endFacts(name, { ...ended, until: from }, context)),
    { kind: 'deployment.recorded', name, number, modelVersion, from, until, attributes: said },
    { kind: 'entity.described', ref, time: recorded, attributes },
    { ...relation, relation: 'deployed-as', from: modelVersion },
    ...suppliers(message, workspace).map(
      (supplier): Fact => ({ ...relation, relation: 'supplied', from: supplier }),
    ),
    ...image(message, ref, context),
    ...(message.by
      ? [{ ...relation, relation: 'did', from: agentRef(workspace, message.by) } as const]
      : []),
  ];
}

/** What the end of a deployment means. */
export function endFacts(
  name: string,
  ended: {
    readonly number: number;
    readonly modelVersion: string;
    readonly from: number;
    readonly until: number;
  },
  { workspace, time }: FactContext,
): Fact[] {
  const { number, modelVersion, from, until } = ended;
  const ref = deploymentRef(workspace, name, number);
  return [
    { kind: 'deployment.ended', name, number, until },
    { kind: 'entity.described', ref, time, attributes: { until: timeText(until) } },
    {
      kind: 'relation.stated',
      relation: 'deployed-as',
      from: modelVersion,
      to: ref,
      known: 'declared',
      rule,
      time: from,
      until,
    },
  ];
}

const timeText = (time: number): string => new Date(time).toISOString();
const untilText = (time: number | undefined): string | null =>
  time === undefined ? null : timeText(time);
const agentRef = (workspace: string, name: string): string =>
  formatRef({ kind: 'agent', namespace: workspace, name });

function image({ imageDigest }: DeploymentMessage, ref: string, context: FactContext): Fact[] {
  if (!imageDigest) return [];
  const { workspace, time } = context;
  const environment = formatRef({
    kind: 'environment',
    namespace: workspace,
    name: `image-${imageDigest}`,
  });
  const attributes: JsonObject = { name: imageDigest, imageDigest };
  return [
    { kind: 'entity.described', ref: environment, time, attributes },
    {
      kind: 'relation.stated',
      relation: 'used-by',
      from: environment,
      to: ref,
      known: 'declared',
      rule,
      time,
    },
  ];
}

/** Feature views by whole ref, by {namespace, name, version}, or by a name of this workspace. */
function suppliers({ featureViews }: DeploymentMessage, workspace: string): string[] {
  return (featureViews ?? []).flatMap((view) => {
    const name = isObject(view) ? text(view.name) : text(view);
    if (name === undefined) return [];
    const whole = findRef(name);
    if (whole) return whole.kind === 'dataset' || whole.kind === 'datasetVersion' ? [name] : [];
    const namespace = (isObject(view) && text(view.namespace)) || workspace;
    const version = isObject(view) ? text(view.version) : undefined;
    return version === undefined
      ? [formatRef({ kind: 'dataset', namespace, name })]
      : [formatRef({ kind: 'datasetVersion', namespace, name, version })];
  });
}
