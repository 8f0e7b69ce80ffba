import type { ColumnName, DatasetName, FactContext } from '../facts/facts.ts';
import { formatRef, parseRef } from '../facts/ref.ts';
import { canonicalName } from './identity/canonical-name.ts';
import { nameOf } from './name-of.ts';
import type { LineageStore, NewNode } from './store.ts';

/** The nodes that one message names, made where there are none. */
export class MessageNodes {
  readonly #context: FactContext;
  readonly #store: LineageStore;
  /** The datasets of one message are named by each of its columns. */
  readonly #canonical = new Map<string, ReturnType<typeof canonicalName>>();

  constructor(context: FactContext, store: LineageStore) {
    this.#context = context;
    this.#store = store;
  }

  /** The node of a whole ref; versions and fields get their dataset as parent. */
  async node(ref: string): Promise<number> {
    const known = this.#store.cachedNode(ref);
    if (known !== undefined) return known;
    const parts = parseRef(ref);
    if (parts.kind === 'dataset') return this.dataset(parts);
    if (parts.kind === 'datasetVersion' && parts.version !== undefined)
      return this.version(await this.dataset(parts), parts, parts.version);
    if (parts.kind === 'field' && parts.field !== undefined)
      return this.field({ dataset: parts, field: parts.field });
    return this.#make({ kind: parts.kind, ref, name: nameOf(ref), parent: null });
  }

  async #make(node: Omit<NewNode, 'position'>): Promise<number> {
    return (await this.#store.ensureNode({ ...node, position: this.#context.position })).key;
  }

  #canonicalName(sent: DatasetName): ReturnType<typeof canonicalName> {
    const key = `${sent.namespace}\n${sent.name}`;
    const known = this.#canonical.get(key);
    if (known !== undefined) return known;
    const name = canonicalName(sent);
    this.#canonical.set(key, name);
    return name;
  }

  /** The dataset by its canonical name, in its source; how it was sent is kept where it differs. */
  async dataset(sent: DatasetName): Promise<number> {
    const name = this.#canonicalName(sent);
    const ref = formatRef({ kind: 'dataset', namespace: name.namespace, name: name.name });
    const key = this.#store.cachedNode(ref) ?? (await this.#makeDataset(ref, name));
    if (name.rule !== undefined)
      await this.#store.putName(key, sent.namespace, sent.name, name.rule, this.#context.position);
    return key;
  }

  async #makeDataset(ref: string, name: DatasetName): Promise<number> {
    const { position, time } = this.#context;
    const node = { kind: 'dataset', ref, name: name.name, parent: null, position } as const;
    const { key, isNew } = await this.#store.ensureNode(node);
    // Only with the node: what is at hand in memory must not show in what is stored.
    if (!isNew) return key;
    const source = await this.#make({
      kind: 'source',
      ref: formatRef({ kind: 'source', namespace: 'namespace', name: name.namespace }),
      name: name.namespace,
      parent: null,
    });
    // valid from the beginning: a namespace holds its datasets whenever they are
    await this.#store.putEdge({
      from: source,
      to: key,
      relation: 'holds',
      role: null,
      known: 'observed',
      rule: 'namespace',
      position,
      recordedTime: time,
      validFrom: 0,
      validTo: null,
    });
    return key;
  }

  async version(dataset: number, sent: DatasetName, version: string): Promise<number> {
    const { namespace, name } = this.#canonicalName(sent);
    const ref = formatRef({ kind: 'datasetVersion', namespace, name, version });
    return (
      this.#store.cachedNode(ref) ??
      this.#make({ kind: 'datasetVersion', ref, name: `${name}@${version}`, parent: dataset })
    );
  }

  async field({ dataset, field }: ColumnName): Promise<number> {
    const { namespace, name } = this.#canonicalName(dataset);
    const ref = formatRef({ kind: 'field', namespace, name, field });
    return (
      this.#store.cachedNode(ref) ??
      this.#make({ kind: 'field', ref, name: field, parent: await this.dataset(dataset) })
    );
  }
}
