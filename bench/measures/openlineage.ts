/** Events as Airflow sent them, each with a run and a time of its own. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Figure, MeasureContext } from '../figures.ts';
import type { LoadRequest } from '../load.ts';
import { startWherefrom } from '../server.ts';
import { measureLoad } from './load-figure.ts';

const fixtures = join(import.meta.dirname, '../../src/protocols/openlineage/fixtures');

/** A task that reads two tables and writes one, with column lineage: 6.7 KB as it is sent. */
const captured = 'airflow_pg/004.json';

/** Jobs and tables that the events are spread over: one job would be a hub of its own. */
const variantCount = 64;

interface Named {
  readonly namespace: string;
  readonly name: string;
}

/** The members of an event that this file reads; all others are kept. */
interface CapturedEvent {
  readonly run: { readonly runId: string };
  readonly job: Named;
  readonly inputs: readonly Named[];
  readonly outputs: readonly Named[];
  readonly [member: string]: unknown;
}

export async function measureOpenLineage(context: MeasureContext): Promise<Figure[]> {
  // A recorded event of our own fixtures.
  const full = JSON.parse(readFileSync(join(fixtures, captured), 'utf8')) as CapturedEvent;
  const figures: Figure[] = [];
  for (const [label, event] of [
    ['plain', withoutFacets(full)],
    ['full', full],
  ] as const) {
    const bytes = (JSON.stringify(event).length / 1000).toFixed(1);
    const measure = `OpenLineage, ${label} ${bytes} KB`;
    const data = join(context.scratch, `openlineage-${label}`);
    const server = await startWherefrom({ data });
    try {
      const next = eventsLike(event);
      for (const connections of [1, 8, 32]) {
        context.log(`wherefrom: ${measure}, ${connections} connections`);
        const load = { measure, system: 'wherefrom', server, connections } as const;
        figures.push(await measureLoad({ ...load, effort: context.effort, next }));
      }
    } finally {
      await server.stop();
    }
  }
  return figures;
}

function withoutFacets(event: CapturedEvent): CapturedEvent {
  const plain = ({ namespace, name }: Named): Named => ({ namespace, name });
  return {
    ...event,
    run: { runId: event.run.runId },
    job: plain(event.job),
    inputs: event.inputs.map(plain),
    outputs: event.outputs.map(plain),
  };
}

/** Makes events that differ in run, time and (64 of them) in job and tables. */
function eventsLike(event: CapturedEvent): () => LoadRequest {
  const templates = Array.from({ length: variantCount }, (_, variant) =>
    JSON.stringify(variantOf(event, variant)).split(/@@(run|time)@@/),
  );
  let count = 0;
  return () => {
    count += 1;
    const parts = templates[count % variantCount] ?? [];
    const run = uuid7();
    const time = new Date(Date.now() + count).toISOString();
    // Every second part is what the split has found.
    const body = parts
      .map((part, i) => (i % 2 === 0 ? part : part === 'run' ? run : time))
      .join('');
    return { method: 'POST', path: '/api/v1/lineage', body };
  };
}

/** A run id as the clients of OpenLineage make it: the time, then chance. Source: RFC 9562, section 5.7. */
function uuid7(): string {
  const time = Date.now().toString(16).padStart(12, '0');
  const chance = randomBytes(10).toString('hex');
  return `${time.slice(0, 8)}-${time.slice(8)}-7${chance.slice(1, 4)}-8${chance.slice(5, 8)}-${chance.slice(8)}`;
}

function variantOf(event: CapturedEvent, variant: number): object {
  const renamed = new Map<string, string>();
  for (const { name } of [event.job, ...event.inputs, ...event.outputs]) {
    renamed.set(name, `${name}_${variant}`);
  }
  const rename = (_key: string, value: unknown): unknown => {
    if (value === event.run.runId) return '@@run@@';
    return (typeof value === 'string' ? renamed.get(value) : undefined) ?? value;
  };
  const copy: object = JSON.parse(JSON.stringify(event), rename);
  return { ...copy, eventTime: '@@time@@' };
}
