import { isObject, type Json, type JsonObject, list, text } from '../base/json.ts';
import { limits } from '../base/limits.ts';
import type { DatasetName, Fact, FactContext, LineageFact, VersionHint } from '../facts/facts.ts';
import { strongDigest } from './identity/canonical-name.ts';
import { readIdentity } from './identity/stated.ts';
import { nameOf } from './name-of.ts';
import { MessageNodes } from './project-nodes.ts';
import type { LineageStore, MergeRow } from './store.ts';

/**
 * Writes what facts mean for the graph. Every write is idempotent and commutes with the others, so
 * that events in any order, and repeated, give the same graph.
 */
export async function projectLineage(
  facts: readonly Fact[],
  context: FactContext,
  store: LineageStore,
): Promise<void> {
  const projector = new LineageProjector(context, store);
  for (const fact of facts) await projector.project(fact);
}

class LineageProjector {
  readonly #context: FactContext;
  readonly #store: LineageStore;
  readonly #nodes: MessageNodes;

  constructor(context: FactContext, store: LineageStore) {
    this.#context = context;
    this.#store = store;
    this.#nodes = new MessageNodes(context, store);
  }

  async project(fact: Fact): Promise<void> {
    switch (fact.kind) {
      case 'entity.described':
        return this.#describeEntity(fact);
      case 'dataset.described':
        return this.#describeDataset(fact.dataset, fact.attributes, fact.time);
      case 'relation.stated':
        return this.#relate(fact);
      case 'run.reported':
        return this.#reportRun(fact);
      case 'dataset.read':
      case 'dataset.written':
        return this.#use(fact);
      case 'columns.derived':
        return this.#deriveColumns(fact);
      case 'job.declared':
        return this.#declare(fact);
      default:
        return this.#projectRare(fact);
    }
  }

  async #projectRare(fact: Fact): Promise<void> {
    const store = this.#store;
    const { position } = this.#context;
    switch (fact.kind) {
      case 'flow.stated':
        return this.#flow(fact);
      case 'dataset.linked':
        return this.#merge(await this.#nodes.dataset(fact.a), await this.#nodes.dataset(fact.b), {
          rule: fact.rule,
        });
      case 'dataset.renamed':
        // Before it, the new name was nobody's, or another's.
        return this.#merge(
          await this.#nodes.dataset(fact.from),
          await this.#nodes.dataset(fact.to),
          {
            rule: 'renamed',
            validFrom: fact.time,
          },
        );
      case 'dataset.dropped':
        return store.putDrop(await this.#nodes.dataset(fact.dataset), fact.time, position);
      case 'entity.deleted':
        return store.putDeletion(await this.#nodes.node(fact.ref), fact.time, position);
      case 'entity.restored':
        return store.putRestoration(await this.#nodes.node(fact.ref), position);
      case 'entity.renamed':
        return store.rename(await this.#nodes.node(fact.from), fact.to, nameOf(fact.to), {
          time: fact.time,
          position,
        });
      case 'event.seen':
        return store.putEventKey(this.#context.workspace, fact.key);
      case 'statement.made':
        return this.#state(fact);
      default:
        return; // facts of other rooms
    }
  }

  async #describeEntity(fact: Extract<LineageFact, { kind: 'entity.described' }>): Promise<void> {
    const node = await this.#nodes.node(fact.ref);
    if (fact.constant && this.#store.isDescribed(node)) return;
    await this.#describe(node, fact.attributes, fact.constant ? 0 : fact.time);
    if (fact.constant) this.#store.setDescribed(node);
  }

  async #describe(node: number, attributes: JsonObject, time: number): Promise<void> {
    for (const [name, value] of Object.entries(attributes)) {
      if (value === undefined) continue;
      await this.#store.putAttribute({
        node,
        name,
        value: attributeText(value),
        time,
        position: this.#context.position,
      });
    }
  }

  async #describeDataset(
    dataset: DatasetName,
    attributes: JsonObject,
    time: number,
  ): Promise<void> {
    await this.#describe(await this.#nodes.dataset(dataset), attributes, time);
    await this.#fieldsOf(dataset, attributes);
  }

  /** A schema makes its fields known, whether or not column lineage ever names them. */
  async #fieldsOf(dataset: DatasetName, attributes: JsonObject): Promise<void> {
    for (const column of list(attributes.schema)) {
      const field = isObject(column) ? text(column.name) : undefined;
      if (field !== undefined) await this.#nodes.field({ dataset, field });
    }
  }

  async #relate(fact: Extract<LineageFact, { kind: 'relation.stated' }>): Promise<void> {
    await this.#store.putEdge({
      from: await this.#nodes.node(fact.from),
      to: await this.#nodes.node(fact.to),
      relation: fact.relation,
      role: fact.role ?? null,
      known: fact.known,
      rule: fact.rule ?? null,
      position: this.#context.position,
      recordedTime: this.#context.time,
      validFrom: fact.time,
      validTo: fact.until ?? null,
    });
  }

  async #reportRun(fact: Extract<LineageFact, { kind: 'run.reported' }>): Promise<void> {
    const run = await this.#nodes.node(fact.run);
    const { position, time } = this.#context;
    await this.#store.putRunEvent({
      run,
      state: fact.state,
      time: fact.time,
      streaming: fact.streaming ?? false,
      position,
    });
    if (fact.job === undefined) return;
    await this.#store.putEdge({
      from: await this.#nodes.node(fact.job),
      to: run,
      relation: 'ran-as',
      role: null,
      known: 'observed',
      rule: 'run.reported',
      position,
      recordedTime: time,
      validFrom: fact.time,
      validTo: null,
    });
  }

  async #use(
    fact: Extract<LineageFact, { kind: 'dataset.read' | 'dataset.written' }>,
  ): Promise<void> {
    const { position, time: recordedTime } = this.#context;
    const use = fact.kind === 'dataset.read' ? 'read' : 'write';
    const run = await this.#nodes.node(fact.run);
    const dataset = await this.#nodes.dataset(fact.dataset);
    const label = versionLabel(fact) ?? (use === 'write' ? `run:${nameOf(fact.run)}` : undefined);
    const version =
      label === undefined ? null : await this.#nodes.version(dataset, fact.dataset, label);
    const digest = strongDigest(fact.digest);
    if (version !== null && digest !== undefined)
      await this.#store.putDigest(version, digest, position);
    if (version !== null && fact.attributes)
      await this.#describe(version, fact.attributes, fact.time);
    if (fact.attributes) await this.#fieldsOf(fact.dataset, fact.attributes);
    const attributes = fact.attributes === undefined ? null : attributeText(fact.attributes);
    await this.#store.putUse({
      use,
      run,
      dataset,
      version,
      // By its run is how a version is called that the tool gave no name.
      named: versionLabel(fact) !== undefined,
      role: fact.kind === 'dataset.read' ? (fact.role ?? null) : null,
      mode: fact.kind === 'dataset.written' ? fact.mode : 'unknown',
      known: fact.known,
      rule: fact.rule ?? null,
      attributes,
      time: fact.time,
      position,
      recordedTime,
    });
  }

  async #deriveColumns(fact: Extract<LineageFact, { kind: 'columns.derived' }>): Promise<void> {
    const via = await this.#nodes.node(fact.via);
    const { position, time: recordedTime } = this.#context;
    for (const column of fact.columns) {
      const how = column.masking ? `${column.how ?? 'DIRECT'}, masked` : (column.how ?? null);
      await this.#store.putColumn({
        from: await this.#nodes.field(column.from),
        to: await this.#nodes.field(column.to),
        via,
        how,
        known: fact.known,
        rule: fact.rule ?? null,
        time: fact.time,
        position,
        recordedTime,
      });
    }
  }

  async #flow(fact: Extract<LineageFact, { kind: 'flow.stated' }>): Promise<void> {
    const via = await this.#nodes.node(fact.via);
    const output = await this.#nodes.dataset(fact.output);
    const { time } = fact;
    const { position } = this.#context;
    // Without an input there is still the word that there is none.
    await this.#store.putFlow({ via, output, input: null, time, position });
    for (const name of fact.inputs)
      await this.#store.putFlow({
        via,
        output,
        input: await this.#nodes.dataset(name),
        time,
        position,
      });
  }

  async #declare(fact: Extract<LineageFact, { kind: 'job.declared' }>): Promise<void> {
    const job = await this.#nodes.node(fact.job);
    const { position, time: recordedTime } = this.#context;
    const sides = [
      ['read', fact.inputs],
      ['write', fact.outputs],
    ] as const;
    await this.#store.putDeclarationTime(job, fact.time, position);
    for (const [use, names] of sides) {
      for (const name of names) {
        await this.#store.putDeclaration({
          job,
          dataset: await this.#nodes.dataset(name),
          use,
          time: fact.time,
          position,
          recordedTime,
        });
      }
    }
  }

  async #merge(
    a: number,
    b: number,
    how: Pick<MergeRow, 'rule'> & Partial<MergeRow>,
  ): Promise<void> {
    if (a === b) return;
    await this.#store.putMerge({
      statement: '',
      apart: false,
      validFrom: null,
      validTo: null,
      ...how,
      a: Math.min(a, b),
      b: Math.max(a, b),
      position: this.#context.position,
    });
  }

  async #state(fact: Extract<LineageFact, { kind: 'statement.made' }>): Promise<void> {
    const node = await this.#nodes.node(fact.ref);
    const { kind: _, ref: __, ...body } = fact;
    await this.#store.putStatement({
      id: fact.id,
      node,
      type: fact.type,
      body: JSON.stringify(body),
      time: fact.time,
      position: this.#context.position,
    });
    const { position } = this.#context;
    const validFrom = fact.validFrom ?? null;
    if (fact.supersedes !== undefined)
      await this.#store.putSuperseded({
        statement: fact.supersedes,
        by: fact.id,
        validFrom,
        position,
      });
    const said = readIdentity(fact);
    if (said === undefined) return;
    const { other, ...merge } = said;
    await this.#merge(node, await this.#nodes.node(other), merge);
  }
}

/** The version as the tool named it, else by its digest. */
function versionLabel({ version, digest }: VersionHint): string | undefined {
  if (version !== undefined && version !== '') return version;
  return digest === undefined ? undefined : `${digest.algorithm}:${digest.value}`;
}

function attributeText(value: Json): string {
  const json = JSON.stringify(value);
  return json.length > limits.attributeBytesMax
    ? JSON.stringify({ omittedBytes: json.length })
    : json;
}
