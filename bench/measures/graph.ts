/** Trace and impact, asked over HTTP of graphs that went through the door of the server. */
import { join } from 'node:path';
import { systemClock } from '../../src/base/clock.ts';
import {
  createDoor,
  createWorkspace,
  defaultWorkspace,
  type Operation,
} from '../../src/door/index.ts';
import type { LineageFact } from '../../src/facts/facts.ts';
import { openDataDirectory } from '../../src/server/data-directory.ts';
import { openSqliteStore } from '../../src/store/sqlite/open.ts';
import { type Figure, type MeasureContext, median, percentile } from '../figures.ts';
import { post } from '../http.ts';
import { memoryMiB } from '../processes.ts';
import { directoryBytes, type MeasuredServer, startWherefrom } from '../server.ts';
import { type GeneratedGraph, generateGraph } from './graph-facts.ts';

/** Messages that wait for the door at once: one transaction takes as many. */
const messagesAtOnce = 2_000;

/** A message that is the facts it means: the graph is projected as by any protocol. */
const stateFacts: Operation<readonly LineageFact[], null> = {
  protocol: 'bench',
  operation: 'facts',
  decide: () => ({ outcome: 'accepted', decided: {}, answer: null }),
  translate: ({ message }) => ({ facts: message, warnings: [] }),
};

/** Builds graphs of each size and asks them. Leaves them in the scratch directory as `graph-{nodes}`. */
export async function measureGraphs(context: MeasureContext): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const size of context.effort.graphNodes) {
    const data = join(context.scratch, `graph-${size}`);
    const graph = generateGraph(size);
    const built = performance.now();
    const nodes = await fill(data, graph);
    const seconds = (performance.now() - built) / 1_000;
    const megabytes = (directoryBytes(data) / 1e6).toFixed(0);
    context.log(
      `wherefrom: graph of ${nodes} nodes built in ${seconds.toFixed(1)} s, ${megabytes} MB`,
    );
    const server = await startWherefrom({ data });
    try {
      figures.push(...(await ask({ server, graph, nodes, context })));
    } finally {
      await server.stop();
    }
  }
  return figures;
}

/** Sends the graph through a door of its own into a new data directory. @returns how many nodes came out. */
async function fill(path: string, graph: GeneratedGraph): Promise<number> {
  const directory = openDataDirectory(path);
  const { store } = openSqliteStore(directory.storePath);
  try {
    const door = createDoor({
      store,
      clock: systemClock,
      log: directory.log,
      secret: directory.secret,
    });
    const sender = { workspace: defaultWorkspace, principal: 'bench' };
    await door.submit({ ...sender, operation: createWorkspace, body: { name: defaultWorkspace } });
    let waiting: Promise<unknown>[] = [];
    for (const body of graph.messages) {
      waiting.push(door.submit({ ...sender, operation: stateFacts, body }));
      if (waiting.length < messagesAtOnce) continue;
      await Promise.all(waiting);
      waiting = [];
    }
    await Promise.all(waiting);
    return await store.read(async ({ lineage }) =>
      Object.values(await lineage.countNodes()).reduce((sum, count) => sum + count, 0),
    );
  } finally {
    store.close();
    directory.lock?.release();
  }
}

interface Asked {
  readonly server: MeasuredServer;
  readonly graph: GeneratedGraph;
  readonly nodes: number;
  readonly context: MeasureContext;
}

async function ask({ server, graph, nodes, context }: Asked): Promise<Figure[]> {
  const { ends, beginnings, hub } = graph;
  const read = { columns: false, writes: false };
  const questions = [
    { ...read, name: 'trace', path: 'trace', refs: ends },
    { ...read, name: 'trace after a write', path: 'trace', refs: ends, writes: true },
    { ...read, name: 'trace with columns', path: 'trace', refs: ends, columns: true },
    { ...read, name: 'impact', path: 'impact', refs: beginnings },
    { ...read, name: 'impact after a write', path: 'impact', refs: beginnings, writes: true },
    { ...read, name: 'impact of a hub', path: 'impact', refs: [hub] },
  ];
  const figures: Figure[] = [];
  for (const { name, ...question } of questions) {
    const measure = `${name}, ${label(nodes)} nodes`;
    context.log(`wherefrom: ${measure}`);
    const { timesMs, answerNodes } = await askAll({ ...question, server, context });
    const sorted = Float64Array.from(timesMs).sort();
    const note = `${answerNodes} nodes in the answer, ${sorted.length} questions`;
    for (const [which, q] of [
      ['p50', 0.5],
      ['p99', 0.99],
    ] as const) {
      const value = percentile(sorted, q);
      figures.push({
        kind: 'value',
        measure: `${measure}, ${which}`,
        system: 'wherefrom',
        value,
        unit: 'ms',
        note,
      });
    }
  }
  const loaded = { kind: 'value', system: 'wherefrom', unit: 'MiB' } as const;
  const measure = `memory after questions, ${label(nodes)} nodes`;
  figures.push({ ...loaded, measure, value: memoryMiB(server.pid) });
  return figures;
}

interface Questions {
  readonly server: MeasuredServer;
  readonly path: string;
  readonly refs: readonly string[];
  readonly columns: boolean;
  /** Something is recorded before each question: what answers remember is of no use any more. */
  readonly writes: boolean;
  readonly context: MeasureContext;
}

async function askAll(asked: Questions): Promise<{ timesMs: number[]; answerNodes: number }> {
  const { server, path, refs, columns, writes, context } = asked;
  const { warmupMs, durationMs } = context.effort;
  const timesMs: number[] = [];
  const sizes: number[] = [];
  const countFrom = performance.now() + warmupMs;
  const countTo = countFrom + durationMs / 2;
  for (let i = 0; performance.now() < countTo || timesMs.length === 0; i += 1) {
    const ref = encodeURIComponent(refs[i % refs.length] ?? '');
    const url = `${server.url}/api/wherefrom/v1/${path}?ref=${ref}${columns ? '&columns=true' : ''}`;
    if (writes) await recordSomething(server);
    const sent = performance.now();
    const response = await fetch(url);
    const text = await response.text();
    if (!response.ok) throw new Error(`${url} answered ${response.status}: ${text.slice(0, 500)}`);
    if (sent < countFrom && performance.now() < countTo) continue;
    timesMs.push(performance.now() - sent);
    // The shape of every answer of the API.
    const answer = JSON.parse(text) as { readonly nodes: readonly unknown[] };
    sizes.push(answer.nodes.length);
  }
  return { timesMs, answerNodes: median(sizes) };
}

async function recordSomething(server: MeasuredServer): Promise<void> {
  const name = `bench-${crypto.randomUUID()}`;
  await post(`${server.url}/api/2.0/mlflow/experiments/create`, JSON.stringify({ name }));
}

function label(nodes: number): string {
  return nodes < 1_000_000
    ? `${(nodes / 1_000).toFixed(0)} thousand`
    : `${(nodes / 1e6).toFixed(2)} million`;
}
