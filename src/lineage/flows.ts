import type { GraphView } from './view.ts';

/** Datasets that a run, or job, was reached through on a walk; `all` when it was reached otherwise. */
export type Reached = ReadonlySet<number> | 'all';

/** Of each run and job, the outputs whose inputs it told, with those inputs. */
export type Flows = ReadonlyMap<number, ReadonlyMap<number, ReadonlySet<number>>>;

/** What runs, and jobs in the declarations of `declaredAt` (ms), told of their flows as of the moment. */
export async function flowsOf(
  view: GraphView,
  vias: readonly number[],
  declaredAt?: ReadonlyMap<number, number>,
): Promise<Flows> {
  const flows = new Map<number, Map<number, Set<number>>>();
  if (vias.length === 0 || !(await view.rareRows()).flows) return flows;
  const rows = (await view.reader.flowsVia(vias)).filter(
    (row) => view.seen(row) && row.time === (declaredAt?.get(row.via) ?? row.time),
  );
  await view.names.load(rows.flatMap(({ output, input }) => [output, input ?? output]));
  for (const { via, output, input } of rows) {
    const outputs = flows.get(via) ?? new Map<number, Set<number>>();
    const inputs = outputs.get(output) ?? new Set<number>();
    if (input !== null) inputs.add(input);
    flows.set(via, outputs.set(output, inputs));
  }
  return flows;
}

/** A read and a write in one run or job. */
interface Passage {
  readonly via: number;
  readonly input: number;
  readonly output: number;
  readonly time: number;
}

/** Whether the input went into the output; an output of which nothing was told comes of every input. */
export function flowsInto(
  view: GraphView,
  flows: Flows,
  { via, input, output, time }: Passage,
): boolean {
  const isOne = (a: number, b: number): boolean => view.names.areOne(a, b, time);
  const told = [...(flows.get(via) ?? [])].filter(([to]) => isOne(to, output));
  return (
    told.length === 0 || told.some(([, inputs]) => [...inputs].some((from) => isOne(from, input)))
  );
}
