import { isObject, type Json, list, text } from '../../base/json.ts';
import { limits } from '../../base/limits.ts';
import type { DecideContext } from '../../door/index.ts';
import type { Fact, FactContext, TraceUse } from '../../facts/facts.ts';
import { formatRef, outsideNamespace } from '../../facts/ref.ts';
import { canonicalName } from '../../lineage/index.ts';
import { deploymentRef, type RegistryReader, versionRef } from '../../registry/index.ts';
import { spanKeys, traceKeys } from '../../traces/index.ts';
import { documentsOf, type RetrievedDocument } from './documents.ts';
import type { SentSpan, SentTrace } from './traces.ts';

const modelTypes = new Set(['LLM', 'CHAT_MODEL', 'EMBEDDING', 'RERANKER', 'GUARDRAIL']);

/** What a trace's spans tell by themselves: uses, and facts about the things used. */
export interface ToldBySpans {
  readonly uses: TraceUse[];
  readonly facts: Fact[];
  readonly warnings: string[];
}

function modelUse(span: SentSpan, provider: string): TraceUse | undefined {
  const { model, type = '' } = span.summary;
  if (model === undefined || (!modelTypes.has(type) && span.summary.usage === undefined))
    return undefined;
  return {
    // No workspace's: many teams call the same model of a provider.
    ref: formatRef({ kind: 'model', namespace: `${outsideNamespace}${provider}`, name: model }),
    relation: 'served',
    role: type === 'EMBEDDING' ? 'embedding' : 'model',
    known: 'observed',
    rule: spanKeys.model,
  };
}

/** A tool is code; which version of it ran, nobody says. */
function toolUse({ summary, attributes }: SentSpan, workspace: string): TraceUse | undefined {
  if (summary.type !== 'TOOL') return undefined;
  const name =
    text(attributes['gen_ai.tool.name']) ?? text(attributes['tool.name']) ?? summary.name;
  return {
    ref: formatRef({ kind: 'code', namespace: workspace, name: `tool/${name}` }),
    relation: 'used-by',
    role: 'tool',
    known: 'observed',
    rule: 'span.TOOL',
  };
}

function documentUse(document: RetrievedDocument): TraceUse {
  const { namespace, name } = canonicalName(document);
  const { version, known, rule } = document;
  const ref =
    version === undefined
      ? formatRef({ kind: 'dataset', namespace, name })
      : formatRef({ kind: 'datasetVersion', namespace, name, version });
  return { ref, relation: 'read-by', role: 'document', known, rule };
}

/** The facts that make a used thing a node of the graph. Models and tools are told once. */
function factOf({ ref, role }: TraceUse, time: number): Fact {
  const kind = role === 'document' ? 'document' : role === 'tool' ? 'tool' : 'model';
  return { kind: 'entity.described', ref, time, constant: true, attributes: { usedAs: kind } };
}

/** Models, tools and documents of the spans of a trace. */
export function toldBySpans(trace: SentTrace, { workspace }: FactContext): ToldBySpans {
  const uses = new Map<string, TraceUse>();
  const warnings: string[] = [];
  const add = (use: TraceUse | undefined): void => {
    if (use !== undefined) uses.set(`${use.ref} ${use.role}`, use);
  };
  let documents = 0;
  for (const span of trace.spans) {
    add(modelUse(span, span.summary.provider ?? 'unknown'));
    add(toolUse(span, workspace));
    if (span.summary.type !== 'RETRIEVER') continue;
    const source = text(span.attributes['gen_ai.data_source.id']);
    const collection = source ?? span.summary.name;
    for (const document of documentsOf(
      span.attributes,
      span.attributes[spanKeys.outputs],
      collection,
    )) {
      documents += 1;
      if (documents <= limits.documentsPerTraceMax) add(documentUse(document));
    }
  }
  if (documents > limits.documentsPerTraceMax) {
    warnings.push(
      `${trace.id}: ${documents} documents were retrieved; ${limits.documentsPerTraceMax} of them are in the lineage.`,
    );
  }
  const all = [...uses.values()];
  const facts = all
    .filter(({ ref }) => !ref.includes('\u0000'))
    .map((use) => factOf(use, Math.floor(trace.startUs / 1000)));
  return { uses: all, facts, warnings };
}

/** What a trace names that only the registry can tell the meaning of. */
interface Named {
  readonly prompts: Set<string>;
  readonly versions: Set<string>;
  readonly models: Set<string>;
  readonly services: Set<string>;
}

function namedBy(trace: SentTrace): Named {
  const named: Named = {
    prompts: new Set(),
    versions: new Set(),
    models: new Set(),
    services: new Set(),
  };
  const look = (attributes: Readonly<Record<string, Json>>): void => {
    for (const each of list(attributes[spanKeys.linkedPrompts])) {
      const [name, version] = isObject(each) ? [text(each.name), each.version] : [];
      if (name !== undefined) named.prompts.add(`${name}/${version}`);
    }
    const version =
      text(attributes['ml.model.version']) ?? text(attributes['wherefrom.model_version']);
    if (version !== undefined) named.versions.add(version);
    const model = text(attributes[traceKeys.modelId]);
    if (model !== undefined) named.models.add(model);
  };
  for (const { attributes, resource } of trace.spans) {
    look(attributes);
    look(resource);
    const deployment = text(resource['wherefrom.deployment']) ?? text(resource['service.name']);
    if (deployment !== undefined) named.services.add(deployment);
  }
  return named;
}

/** `name/3`, `name@3`, `models:/name/3` or `name@alias` as the version it means now. */
async function findVersion(
  named: string,
  registry: RegistryReader,
  workspace: string,
): Promise<string | undefined> {
  const match = /^(?:models:\/)?(.+)[@/]([^@/]+)$/.exec(named);
  const [, name = '', version = ''] = match ?? [];
  const model = await registry.findModel(workspace, name);
  if (model === undefined) return undefined;
  const found = /^\d{1,9}$/.test(version)
    ? await registry.findVersion(workspace, name, Number(version))
    : await registry.findVersionByAlias(workspace, name, version);
  return found && versionRef(workspace, model, found.version);
}

/** The ref by which a version is called that this server does not know. */
function unknownVersion(named: string, workspace: string): string {
  const match = /^(?:models:\/)?(.+)[@/]([^@/]+)$/.exec(named);
  const [, name = named, version = '?'] = match ?? [];
  return formatRef({ kind: 'modelVersion', namespace: workspace, name, version });
}

/** What the names in a trace mean, as the registry knows it now; what is unknown is kept and flagged. */
export async function decideUses(
  trace: SentTrace,
  { state, workspace }: DecideContext,
): Promise<TraceUse[]> {
  const named = namedBy(trace);
  const uses: TraceUse[] = [];
  const version = async (name: string, use: Pick<TraceUse, 'relation' | 'role' | 'rule'>) => {
    const ref = await findVersion(name, state.registry, workspace);
    uses.push({
      ref: ref ?? unknownVersion(name, workspace),
      ...use,
      known: 'observed',
      ...(ref === undefined ? { unknown: true } : {}),
    });
  };
  for (const name of named.prompts)
    await version(name, { relation: 'read-by', role: 'prompt', rule: spanKeys.linkedPrompts });
  for (const name of named.versions)
    await version(name, { relation: 'served', role: 'version', rule: 'ml.model.version' });
  for (const id of named.models) {
    const model = await state.tracking.findLoggedModel(workspace, id);
    uses.push({
      ref: formatRef({ kind: 'artifact', namespace: workspace, name: id }),
      relation: 'served',
      role: 'version',
      known: 'observed',
      rule: traceKeys.modelId,
      ...(model === undefined ? { unknown: true } : {}),
    });
  }
  for (const name of named.services) {
    const at = Math.floor(trace.startUs / 1000);
    const deployment = await state.registry.findDeployment(workspace, name, at);
    if (deployment === undefined) continue;
    uses.push({
      ref: deploymentRef(workspace, name, deployment.number),
      relation: 'served',
      role: 'deployment',
      // A service of that name was deployed then; that it is the same one is our guess.
      known: 'inferred',
      rule: 'service.name',
    });
  }
  return uses;
}
