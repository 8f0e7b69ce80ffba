import { sha256Hex } from '../base/digest.ts';
import type { Json } from '../base/json.ts';
import type {
  Answer,
  AnswerCount,
  AnswerEdge,
  AnswerNode,
  AnswerStop,
  SameAs,
} from '../contract/answer.ts';
import { parseRef } from '../facts/ref.ts';
import type { NameLink } from './identity/family.ts';
import { iso } from './iso.ts';
import { nameOf } from './name-of.ts';
import type { AttributeRow, NodeRow } from './store.ts';
import type { GraphView } from './view.ts';
import type { Walk } from './walk.ts';

/** Recorded times of entries, ms, by position. */
export type TimesOf = (positions: readonly number[]) => Promise<ReadonlyMap<number, number>>;

/** A prediction as a node: it is no row of the graph. */
export interface OutsideNode {
  readonly key: number;
  readonly node: AnswerNode;
}

/** The immutable public id: 32 hex digits, made of the ref at creation. */
function publicId(originRef: string): string {
  return sha256Hex(originRef).slice(0, 32);
}

/** Attributes of each node at the moment: for each name the newest value, null removes. */
async function attributesOf(
  view: GraphView,
  keys: readonly number[],
): Promise<Map<number, Record<string, Json>>> {
  if (keys.length === 0) return new Map();
  const newest = new Map<string, AttributeRow>();
  const { at } = view.moment;
  for (const stored of await view.reader.attributes(keys)) {
    // Told again after the moment: by then it had been told first.
    const row =
      at !== undefined && stored.time > at ? { ...stored, time: stored.firstTime } : stored;
    if (!view.seen({ position: row.position, time: row.firstTime })) continue;
    const id = `${row.node} ${row.name}`;
    const before = newest.get(id);
    if (!before || row.time > before.time || (row.time === before.time && row.value > before.value))
      newest.set(id, row);
  }
  const found = new Map<number, Record<string, Json>>();
  for (const row of [...newest.values()].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const value = JSON.parse(row.value) as Json; // written by the projection as JSON
    if (value === null) continue;
    const attributes = found.get(row.node) ?? {};
    attributes[row.name] = value;
    found.set(row.node, attributes);
  }
  return found;
}

/** Several names of one dataset are one node: this tells which, and under which ref it is shown. */
interface Identities {
  readonly shown: ReadonlyMap<number, string>;
  readonly sameAs: ReadonlyMap<string, readonly SameAs[]>;
}

async function identitiesOf(view: GraphView, rows: readonly NodeRow[]): Promise<Identities> {
  const shown = new Map<number, string>(rows.map((row) => [row.key, row.ref]));
  const sameAs = new Map<string, SameAs[]>();
  const datasets = rows.filter((row) => row.kind === 'dataset');
  await view.names.load(datasets.map((row) => row.key));
  for (const row of datasets) {
    const family = view.names.family(row.key);
    if (family.members.length === 1) continue;
    const names = new Set(view.names.loaded(row.key));
    const refs = new Map((await view.nodes(family.members)).map(({ key, ref }) => [key, ref]));
    // The name that sorts first stands for all: the same whatever came first.
    const first = [...names].map((key) => refs.get(key) ?? row.ref).sort()[0] ?? row.ref;
    shown.set(row.key, first);
    // Also what joined another name for a time: reads of that time are behind the answer.
    const links = family.links.filter(
      ({ a, b, apart }) => !apart && (names.has(a) || names.has(b)),
    );
    sameAs.set(
      first,
      links.map((link) => sameAsOf(link, first, refs)),
    );
  }
  const sent = datasets.length === 0 ? [] : await view.reader.names(datasets.map((row) => row.key));
  for (const name of sent) {
    if (name.position > view.moment.position) continue;
    const ref = shown.get(name.dataset);
    if (ref === undefined) continue;
    const list = sameAs.get(ref) ?? [];
    list.push({ ref: `${name.namespace} ${name.name}`, rule: name.rule, position: name.position });
    sameAs.set(ref, list);
  }
  return { shown, sameAs };
}

function sameAsOf(
  { a, b, rule, position, from, to }: NameLink,
  shown: string,
  refs: ReadonlyMap<number, string>,
): SameAs {
  const [one = '', other = ''] = [refs.get(a), refs.get(b)];
  return {
    ref: one === shown ? other : one,
    rule,
    position,
    ...(Number.isFinite(from) && { validFrom: iso(from) }),
    ...(Number.isFinite(to) && { validTo: iso(to) }),
  };
}

/** A walk as it is shown; `refs` tells under which ref each of its nodes is. */
interface RenderedWalk extends Pick<Answer, 'nodes' | 'edges' | 'stopped'> {
  readonly refs: ReadonlyMap<number, string>;
}

/** Turns a finished walk into nodes, edges and stops, with refs in place of keys. */
export async function renderWalk(
  walk: Walk,
  outside: readonly OutsideNode[],
  timesOf: TimesOf,
): Promise<RenderedWalk> {
  const { view } = walk;
  const keys = [...walk.nodes.keys()].filter((key) => key > 0);
  const rows = await view.nodes(keys);
  const timeText = createTimeText();
  const nodes = new Map<string, AnswerNode>();
  const refs = new Map<number, string>();
  const { shown } = view.memory;
  const draw = await drawing(
    view,
    rows.filter(({ key }) => !shown.has(key)),
    timeText,
  );
  for (const row of rows) {
    const known = shown.get(row.key);
    const node = known ?? draw(row, (ref) => nodes.get(ref));
    nodes.set(node.ref, node);
    refs.set(row.key, node.ref);
    // Of several names the order in which they were met shows.
    if (known === undefined && (row.kind !== 'dataset' || view.memory.alone.has(row.key)))
      shown.set(row.key, node);
  }
  for (const { key, node } of outside) {
    nodes.set(node.ref, node);
    refs.set(key, node.ref);
  }
  return {
    refs,
    nodes: [...nodes.values()],
    edges: await renderEdges({ walk, refs, timesOf, timeText }),
    stopped: walk.stops.map(
      ({ key, reason, count }): AnswerStop => ({ ref: refs.get(key) ?? '', reason, count }),
    ),
  };
}

/** How a row is shown, given what is shown by its ref already. */
type Draw = (row: NodeRow, shownBy: (ref: string) => AnswerNode | undefined) => AnswerNode;

/** Reads what is told of the rows. @returns what shows each of them. */
async function drawing(
  view: GraphView,
  rows: readonly NodeRow[],
  timeText: TimeText,
): Promise<Draw> {
  const attributes = await attributesOf(
    view,
    rows.map(({ key }) => key),
  );
  const identities = await identitiesOf(view, rows);
  await view.loadRuns(rows.flatMap(({ kind, key }) => (kind === 'run' ? key : [])));
  return (row, shownBy) => {
    const ref = identities.shown.get(row.key) ?? row.ref;
    const before = shownBy(ref);
    const own = attributes.get(row.key) as AnswerNode['attributes'] | undefined; // plain JSON
    return {
      ref,
      id: before?.id ?? publicId(row.originRef),
      kind: row.kind,
      // A field is called by its dataset.
      name: ref === row.ref && row.kind !== 'field' ? row.name : nameOf(ref),
      attributes: Object.assign(
        {},
        before?.attributes,
        own,
        storedAttributes(view, row, timeText),
        sameAsAttribute(identities, ref),
      ),
    };
  };
}

/** What rows tell of a node beside its attributes: the state of a run, a tombstone. */
function storedAttributes(
  view: GraphView,
  row: NodeRow,
  timeText: TimeText,
): AnswerNode['attributes'] | undefined {
  const status = row.kind === 'run' ? view.loadedRun(row.key) : undefined;
  if (status === undefined && row.deletedTime === null) return undefined;
  const told: AnswerNode['attributes'] = {};
  if (status !== undefined) {
    told.state = status.state;
    told.startTime = timeText(status.startTime);
    if (status.endTime !== undefined) told.endTime = timeText(status.endTime);
  }
  if (row.deletedTime !== null) told.deletedTime = timeText(row.deletedTime);
  return told;
}

function sameAsAttribute(
  { sameAs }: Identities,
  ref: string,
): AnswerNode['attributes'] | undefined {
  const same = sameAs.get(ref);
  return same && { sameAs: same as AnswerNode['attributes'][string] }; // plain JSON objects
}

interface EdgeRendering {
  readonly walk: Walk;
  readonly refs: ReadonlyMap<number, string>;
  readonly timesOf: TimesOf;
  readonly timeText: TimeText;
}

async function renderEdges({
  walk,
  refs,
  timesOf,
  timeText,
}: EdgeRendering): Promise<AnswerEdge[]> {
  const { position } = walk.view.moment;
  const untimed = [...walk.edges.values()].filter((edge) => edge.recordedTime === undefined);
  const times = await timesOf([...new Set(untimed.flatMap((edge) => edge.positions[0] ?? []))]);
  const joins = joinsOf(refs);
  const edges: AnswerEdge[] = [];
  const seen = new Set<string>();
  for (const edge of walk.edges.values()) {
    const from = refs.get(edge.from);
    const to = refs.get(edge.to);
    if (from === undefined || to === undefined || from === to) continue;
    // Edges of two names of one dataset are one; those of a walk differ by themselves.
    if (joins.has(edge.from) || joins.has(edge.to)) {
      const ends = `${joins.get(edge.from) ?? edge.from} ${joins.get(edge.to) ?? edge.to}`;
      const id = `${ends} ${edge.relation} ${edge.role ?? ''} ${edge.run ?? ''} ${edge.how ?? ''}`;
      if (seen.has(id)) continue;
      seen.add(id);
    }
    const shown: { -readonly [Key in keyof AnswerEdge]?: AnswerEdge[Key] } = {};
    shown.from = from;
    shown.to = to;
    shown.relation = edge.relation;
    const run = edge.run === undefined ? undefined : refs.get(edge.run);
    if (edge.role !== undefined) shown.role = edge.role;
    if (run !== undefined) shown.run = run;
    if (edge.how !== undefined) shown.how = edge.how;
    shown.known = edge.known;
    if (edge.rule !== undefined) shown.rule = edge.rule;
    shown.positions = edge.positions.filter((each) => each <= position);
    shown.recordedFrom = timeText(edge.recordedTime ?? times.get(edge.positions[0] ?? 0) ?? 0);
    shown.validFrom = timeText(edge.validFrom);
    if (edge.validTo !== undefined) shown.validTo = timeText(edge.validTo);
    edges.push(shown as AnswerEdge); // every required field is set above
  }
  return edges;
}

/** Nodes that are shown as one with others, each with the number of the one. */
function joinsOf(refs: ReadonlyMap<number, string>): ReadonlyMap<number, number> {
  const firsts = new Map<string, number>();
  const joins = new Map<number, number>();
  for (const [key, ref] of refs) {
    const first = firsts.get(ref);
    if (first === undefined) firsts.set(ref, key);
    else joins.set(key, first).set(first, first);
  }
  return joins;
}

type TimeText = (time: number) => string;

/** `iso` that remembers: the edges of one run share its times. */
function createTimeText(): TimeText {
  const texts = new Map<number, string>();
  return (time) => {
    let text = texts.get(time);
    if (text === undefined) {
      text = iso(time);
      texts.set(time, text);
    }
    return text;
  };
}

/** Counts of the same thing added up, none that is zero. */
export function mergeCounts(counts: readonly AnswerCount[]): AnswerCount[] {
  const merged = new Map<string, AnswerCount>();
  for (const each of counts) {
    if (each.count === 0) continue;
    const id = `${each.ref} ${each.kind}`;
    merged.set(id, { ...each, count: each.count + (merged.get(id)?.count ?? 0) });
  }
  return [...merged.values()];
}

/** A node that is known by its ref alone. */
export function outsideNode(
  key: number,
  ref: string,
  attributes: AnswerNode['attributes'],
): OutsideNode {
  return {
    key,
    node: { ref, id: publicId(ref), kind: parseRef(ref).kind, name: nameOf(ref), attributes },
  };
}
