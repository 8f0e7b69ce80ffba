import type { Tokenise } from '../../../door/index.ts';
import type { ModelTag } from '../../../facts/registry-facts.ts';
import { tokeniseTags as tokeniseList, userTag } from '../operation.ts';

/** A body with the persons in its tags replaced; the same object when there are none. */
export function tokeniseTags<Body extends { readonly tags?: readonly Partial<ModelTag>[] }>(
  body: Body,
  tokenise: Tokenise,
): Body {
  const tags = tokeniseList(body.tags, tokenise);
  return tags === body.tags ? body : { ...body, tags };
}

/** The same for a body that is one tag. */
export function tokeniseTag<Body extends Partial<ModelTag>>(body: Body, tokenise: Tokenise): Body {
  if (body.key !== userTag || body.value === undefined) return body;
  return { ...body, value: tokenise(body.value) };
}
