import type { GraphMemory } from '../memory.ts';
import { instantOf, type Moment } from '../moment.ts';
import type { LineageReader } from '../store.ts';
import { aloneFamily, areOne, type Family, namesAt, readFamilies } from './family.ts';

/** Which names are one dataset, as of a moment. What is not asked for by `load` first is alone. */
export interface DatasetNames {
  /** The time whose names things are shown under, ms. */
  readonly instant: number;
  /** Reads the names of many datasets together. */
  load(datasets: readonly number[]): Promise<void>;
  /** All names that the dataset has at the moment, itself included. */
  of(dataset: number): Promise<readonly number[]>;
  /** `of` a dataset that was loaded; of another time, ms, when one is given. */
  loaded(dataset: number, time?: number): readonly number[];
  /** The names that a loaded dataset had at any time. */
  family(dataset: number): Family;
  /** Whether two names, the first of them loaded, are one at `time`, ms; later than the moment, as of it. */
  areOne(a: number, b: number, time: number): boolean;
}

export interface NamesOptions {
  readonly reader: LineageReader;
  readonly moment: Moment;
  readonly memory: Pick<GraphMemory, 'alone'>;
  /** Whether there are any merges at all. */
  any(): Promise<boolean>;
}

/** The names of one moment; remembers those that it read. */
export function createNames({ reader, moment, memory, any }: NamesOptions): DatasetNames {
  const families = new Map<number, Family>();
  const instant = instantOf(moment);
  const family = (dataset: number): Family => families.get(dataset) ?? aloneFamily(dataset);
  const load = async (datasets: readonly number[]): Promise<void> => {
    const unknown = datasets.filter((key) => !(memory.alone.has(key) || families.has(key)));
    if (unknown.length === 0) return;
    const found = (await any())
      ? await readFamilies(reader, unknown, moment.position)
      : new Map<number, Family>();
    for (const [member, each] of found) families.set(member, each);
    for (const dataset of unknown) if (!found.has(dataset)) memory.alone.add(dataset);
  };
  const loaded = (dataset: number, time = instant): readonly number[] =>
    namesAt(family(dataset), dataset, time);
  return {
    instant,
    load,
    async of(dataset) {
      await load([dataset]);
      return loaded(dataset);
    },
    loaded,
    family,
    areOne: (a, b, time) => a === b || areOne(family(a), a, b, Math.min(time, instant)),
  };
}
