import type { JsonObject } from '../../../base/json.ts';
import { limits } from '../../../base/limits.ts';
import type { Fact, FactContext } from '../../../facts/facts.ts';
import type { ModelTag } from '../../../facts/registry-facts.ts';

/**
 * What the graph is told of models. The registry's messages carry no time, so the recorded time is
 * the time of these facts.
 */
export function described(ref: string, attributes: JsonObject, { time }: FactContext): Fact {
  return { kind: 'entity.described', ref, time, attributes };
}

/** Tags as attributes of a node, each for itself. Long ones (texts of prompts) stay in the registry. */
export function tagAttributes(tags: readonly ModelTag[]): JsonObject {
  return Object.fromEntries(
    tags
      .filter(({ value }) => value.length <= limits.attributeBytesMax / 4)
      .map(({ key, value }) => [`tag.${key}`, value]),
  );
}
