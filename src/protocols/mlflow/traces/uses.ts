import { isObject, list } from '../../../base/json.ts';
import type { DecideContext } from '../../../door/index.ts';
import type { Fact, TraceUse } from '../../../facts/facts.ts';
import { formatRef } from '../../../facts/ref.ts';
import type { KeyValue } from '../../../facts/tracking-facts.ts';
import { versionRef } from '../../../registry/index.ts';
import { traceKeys } from '../../../traces/index.ts';
import { modelRef, runRef } from '../lineage/refs.ts';
import { type SourceTags, sourceCode, sourceRule } from '../lineage/source-code.ts';

/** `name/version` of a prompt, as MLflow's links name it. */
export interface PromptName {
  readonly name: string;
  readonly version: string;
}

/** The prompt version that a link means, in the registry as it is now; an unknown one is flagged. */
export async function promptUse(
  { name, version }: PromptName,
  rule: string,
  { state, workspace }: DecideContext,
): Promise<TraceUse> {
  const model = await state.registry.findModel(workspace, name);
  const number = /^\d{1,9}$/.test(version) ? Number(version) : 0;
  const found = model && (await state.registry.findVersion(workspace, name, number));
  const ref = found
    ? versionRef(workspace, model, number)
    : formatRef({ kind: 'modelVersion', namespace: workspace, name, version });
  return {
    ref,
    relation: 'read-by',
    role: 'prompt',
    known: 'observed',
    rule,
    ...(found ? {} : { unknown: true }),
  };
}

/** The prompts in the value of the tag `mlflow.linkedPrompts`. */
function linkedPrompts(value: string): PromptName[] {
  try {
    return list(JSON.parse(value)).flatMap((each) =>
      isObject(each) && typeof each.name === 'string' && each.name !== ''
        ? [{ name: each.name, version: String(each.version) }]
        : [],
    );
  } catch {
    return [];
  }
}

/** What tags and metadata of a trace say it came out of, as far as the state must tell. */
export async function decideUses(
  tags: readonly KeyValue[],
  metadata: readonly KeyValue[],
  context: DecideContext,
): Promise<TraceUse[]> {
  const { state, workspace } = context;
  const uses: TraceUse[] = [];
  for (const { key, value } of tags) {
    if (key !== traceKeys.linkedPrompts) continue;
    for (const prompt of linkedPrompts(value)) uses.push(await promptUse(prompt, key, context));
  }
  for (const { key, value } of metadata) {
    if (value === '') continue;
    if (key === traceKeys.modelId) {
      const unknown = (await state.tracking.findLoggedModel(workspace, value)) === undefined;
      uses.push({
        ref: modelRef(workspace, value),
        relation: 'served',
        role: 'version',
        known: 'observed',
        rule: key,
        ...(unknown ? { unknown } : {}),
      });
    } else if (key === traceKeys.sourceRun) {
      const unknown = (await state.tracking.findRunHead(workspace, value)) === undefined;
      uses.push({
        ref: runRef(workspace, value),
        relation: 'produced',
        role: 'source',
        known: 'observed',
        rule: key,
        ...(unknown ? { unknown } : {}),
      });
    }
  }
  return uses;
}

/** The code that a trace's metadata names, as a use and as a node. */
export function codeUse(
  metadata: readonly KeyValue[],
  at: { readonly workspace: string; readonly time: number },
): { readonly uses: readonly TraceUse[]; readonly facts: readonly Fact[] } {
  const tags: SourceTags = Object.fromEntries(metadata.map(({ key, value }) => [key, value]));
  const code = sourceCode(tags, at);
  if (code === undefined) return { uses: [], facts: [] };
  const use: TraceUse = {
    ref: code.ref,
    relation: 'used-by',
    role: 'code',
    known: 'observed',
    rule: sourceRule(tags),
  };
  return { uses: [use], facts: [code] };
}

/** The use that a link to a run is. */
export function runUse(run: string, workspace: string): TraceUse {
  return {
    ref: runRef(workspace, run),
    relation: 'produced',
    role: 'linked',
    known: 'observed',
    rule: 'mlflow.traces/link-to-run',
  };
}
