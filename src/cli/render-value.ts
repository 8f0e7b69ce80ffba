import { isObject, type Json } from '../base/json.ts';
import { clean, cut, lengthOf, shorten } from './style.ts';

const valueWidthMax = 60;
/** Characters around the part of a text that differs. */
const contextWidth = 12;

type Members = Readonly<Record<string, unknown>>;

/** A value on one side only: lists by their items. */
export function showValue(value: Json): string {
  const items = itemsOf(value);
  return items === undefined ? shownText(plain(value)) : shownText(items.join(', '));
}

/**
 * How two values differ, as pieces of one line: of lists and objects what was added (+), removed (-)
 * and changed (~), of long texts the part that differs.
 */
export function showChange(a: Json, b: Json): string[] {
  const keyed = keyedMembers(a, b);
  if (keyed !== undefined) return orSameItems(changedMembers(...keyed));
  const lists = [itemsOf(a), itemsOf(b)] as const;
  if (lists[0] !== undefined && lists[1] !== undefined) return changedItems(lists[0], lists[1]);
  if (isObject(a) && isObject(b)) return changedMembers(a, b);
  return [changedText(plain(a), plain(b))];
}

/** The items of a list as texts; also of a list that was logged as text, as parameters of MLflow are. */
function itemsOf(value: Json): string[] | undefined {
  const list = typeof value === 'string' ? readList(value) : value;
  return Array.isArray(list) ? list.map(itemText) : undefined;
}

/** A list in the text forms of JSON and of Python. */
function readList(text: string): unknown {
  if (!/^\s*\[.*\]\s*$/s.test(text)) return undefined;
  for (const form of text.includes('"') ? [text] : [text, text.replaceAll("'", '"')]) {
    try {
      return JSON.parse(form);
    } catch {
      // Another form, or just a text in brackets.
    }
  }
  return undefined;
}

/** `age: int` of {name: 'age', type: 'int'}, as columns are described. */
function itemText(item: unknown): string {
  if (isObject(item) && typeof item.name === 'string' && typeof item.type === 'string') {
    if (Object.keys(item).length === 2) return clean(`${item.name}: ${item.type}`);
  }
  return clean(typeof item === 'string' ? item : JSON.stringify(item));
}

/** Members that tell the items of a list apart: columns, reason codes, outcomes. */
const itemKeys = ['name', 'code', 'id', 'type'];

/** Two lists of objects by what tells their items apart, when something does in both. */
function keyedMembers(a: Json, b: Json): [Members, Members] | undefined {
  for (const key of itemKeys) {
    const [before, after] = [membersBy(key, a), membersBy(key, b)];
    if (before !== undefined && after !== undefined) return [before, after];
  }
  return undefined;
}

function membersBy(key: string, value: Json): Members | undefined {
  if (!Array.isArray(value)) return undefined;
  const members: [string, unknown][] = [];
  for (const item of value) {
    if (!isObject(item)) return undefined;
    const { [key]: name, ...rest } = item;
    if (typeof name !== 'string') return undefined;
    const values = Object.values(rest);
    members.push([name, values.length === 1 ? values[0] : rest]);
  }
  const names = new Set(members.map(([name]) => name));
  return names.size === members.length ? Object.fromEntries(members) : undefined;
}

function changedItems(a: readonly string[], b: readonly string[]): string[] {
  const added = without(b, a);
  const removed = without(a, b);
  return orSameItems([
    ...added.map((item) => `+${shownText(item)}`),
    ...removed.map((item) => `-${shownText(item)}`),
  ]);
}

function orSameItems(changes: string[]): string[] {
  return changes.length === 0 ? ['the same items in another order'] : changes;
}

/** The items that are not in the other list, as often as they are more than there. */
function without(items: readonly string[], others: readonly string[]): string[] {
  const left = new Map<string, number>();
  for (const other of others) left.set(other, (left.get(other) ?? 0) + 1);
  return items.filter((item) => {
    const count = left.get(item) ?? 0;
    left.set(item, count - 1);
    return count <= 0;
  });
}

/** What differs member by member; of members that are objects themselves, one level down. */
function changedMembers(a: Members, b: Members, prefix = ''): string[] {
  const names = [...new Set([...Object.keys(a), ...Object.keys(b)])];
  return names.flatMap((name) => {
    const [before, after] = [a[name], b[name]];
    const label = prefix + clean(name);
    if (prefix === '' && isObject(before) && isObject(after)) {
      return changedMembers(before, after, `${label}.`);
    }
    if (before === undefined) return [`+${label}: ${shownText(plain(after))}`];
    if (after === undefined) return [`-${label}: ${shownText(plain(before))}`];
    const texts = [plain(before), plain(after)] as const;
    return texts[0] === texts[1] ? [] : [`~${label}: ${changedText(...texts)}`];
  });
}

/** `before → after`; of long texts the part that differs, with a little around it. */
function changedText(a: string, b: string): string {
  if (lengthOf(a) <= valueWidthMax && lengthOf(b) <= valueWidthMax) {
    return `${oneLine(a)} → ${oneLine(b)}`;
  }
  const [before, after] = [[...oneLine(a)], [...oneLine(b)]];
  const lengthMin = Math.min(before.length, after.length);
  let start = 0;
  while (start < lengthMin && before[start] === after[start]) start += 1;
  let end = 0;
  while (end < lengthMin - start && before.at(-1 - end) === after.at(-1 - end)) end += 1;
  if (start === before.length && start === after.length) return 'white space only';
  const part = (characters: readonly string[]): string => {
    const from = start <= contextWidth + 1 ? 0 : start - contextWidth;
    const to = end <= contextWidth + 1 ? characters.length : characters.length - end + contextWidth;
    const middle = shorten(characters.slice(from, to).join(''), valueWidthMax);
    return `${from > 0 ? '…' : ''}${middle}${to < characters.length ? '…' : ''}`;
  };
  return `${part(before)} → ${part(after)}`;
}

function plain(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function shownText(text: string): string {
  return cut(oneLine(text), valueWidthMax);
}

/** Lines and indentation of SQL and the like say nothing here. */
function oneLine(text: string): string {
  return clean(text.trim().replace(/\s+/g, ' '));
}
