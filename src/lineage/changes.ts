import { limits } from '../base/limits.ts';

/** What changed in the graph: keys of nodes, or all of it. */
export type Changed = ReadonlySet<number> | 'all';

/**
 * Remembers which nodes the newest entries touched, so that what answers have read of the others stays
 * of use. Told of a change before it is committed, and also where it is rolled back after that: more is
 * forgotten than need be, never less.
 */
export class GraphChanges {
  /** Key and position by turns, oldest first. */
  #touched: number[] = [];
  /** Of entries before this position nothing is known any more. */
  #knownFrom = 0;
  /** The newest position that changed more than single nodes. */
  #allAt = -1;

  /** The entry at `position` changed what is stored of the node. */
  touch(position: number, key: number): void {
    this.#touched.push(key, position);
    if (this.#touched.length > 2 * limits.rememberedChangesMax) this.#forgetOlder();
  }

  /** The entry at `position` changed what cannot be told by nodes: two became one, or a ref was given up. */
  touchAll(position: number): void {
    this.#allAt = Math.max(this.#allAt, position);
  }

  /** What entries from `position` on changed. */
  since(position: number): Changed {
    if (position < this.#knownFrom || position <= this.#allAt) return 'all';
    const keys = new Set<number>();
    for (let at = this.#touched.length - 1; at > 0; at -= 2) {
      if ((this.#touched[at] ?? 0) < position) break;
      keys.add(this.#touched[at - 1] ?? 0);
    }
    return keys;
  }

  #forgetOlder(): void {
    const kept = this.#touched.slice(this.#touched.length / 2);
    const dropped = this.#touched[this.#touched.length - kept.length - 1] ?? 0;
    this.#touched = kept;
    this.#knownFrom = dropped + 1;
  }
}
