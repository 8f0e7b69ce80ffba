import { limits } from '../../base/limits.ts';

/**
 * A bounded map of two generations: when the young one is full it becomes the old one, and what was
 * not used since is forgotten. Dropping the oldest key of one Map instead would get slower with every
 * key dropped, since its iterator walks over the holes. Owned by one store of the writer.
 */
export class BoundedMap<K, V> {
  #young = new Map<K, V>();
  #old = new Map<K, V>();
  readonly #generationMax: number;

  constructor(max: number = limits.cacheEntriesMax) {
    this.#generationMax = Math.max(1, Math.floor(max / 2));
  }

  get(key: K): V | undefined {
    const value = this.#young.get(key);
    if (value !== undefined) return value;
    const aged = this.#old.get(key);
    if (aged !== undefined) this.set(key, aged);
    return aged;
  }

  set(key: K, value: V): void {
    if (this.#young.size >= this.#generationMax) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, value);
  }

  delete(key: K): void {
    this.#young.delete(key);
    this.#old.delete(key);
  }

  clear(): void {
    this.#young.clear();
    this.#old.clear();
  }
}
