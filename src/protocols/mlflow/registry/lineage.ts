import type { JsonObject } from '../../../base/json.ts';
import { limits } from '../../../base/limits.ts';
import type { Fact } from '../../../facts/facts.ts';
import type { ModelTag } from '../../../facts/registry-facts.ts';
import type { ModelRow, VersionRow } from '../../../registry/index.ts';

/** What the graph is told of a model or version. `at` is the time that was decided for a change. */
export function described(
  ref: string,
  attributes: JsonObject,
  at: { readonly time: number },
): Fact {
  return { kind: 'entity.described', ref, time: at.time, attributes };
}

/**
 * The time of a change. The registry's messages carry none, so it is the recorded one; but in the
 * graph the newest of two values wins, so a change in the same millisecond counts as one later.
 */
export function changeTime(
  now: number,
  model: Pick<ModelRow, 'changedTime'>,
  version?: Pick<VersionRow, 'createdTime'>,
): number {
  return Math.max(now, model.changedTime + 1, (version?.createdTime ?? 0) + 1);
}

/** Tags as attributes of a node, each for itself. Long ones (texts of prompts) stay in the registry. */
export function tagAttributes(tags: readonly ModelTag[]): JsonObject {
  return Object.fromEntries(
    tags
      .filter(({ value }) => value.length <= limits.attributeBytesMax / 4)
      .map(({ key, value }) => [`tag.${key}`, value]),
  );
}
