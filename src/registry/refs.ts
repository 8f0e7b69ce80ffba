import { formatRef } from '../facts/ref.ts';
import type { ModelName } from '../facts/registry-facts.ts';

/** `model:default/credit-risk`, and `…~2` for the second model of that name. */
export function modelRef(workspace: string, { name, generation }: ModelName): string {
  return formatRef({ kind: 'model', namespace: workspace, name, generation });
}

/** `modelVersion:default/credit-risk@3`, and `…@3~2` for the second model of that name. */
export function versionRef(workspace: string, model: ModelName, version: number): string {
  const { name, generation } = model;
  return formatRef({
    kind: 'modelVersion',
    namespace: workspace,
    name,
    version: String(version),
    generation,
  });
}

/** `deployment:default/scoring@2`: the second deployment under that name. */
export function deploymentRef(workspace: string, name: string, number: number): string {
  return formatRef({ kind: 'deployment', namespace: workspace, name, version: String(number) });
}
