import { parseRef } from '../facts/ref.ts';

/** What a ref is called among its own: its name and version. */
export function nameOf(ref: string): string {
  const parts = parseRef(ref);
  return parts.version === undefined ? parts.name : `${parts.name}@${parts.version}`;
}
