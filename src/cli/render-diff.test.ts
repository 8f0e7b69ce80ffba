import { describe, expect, it } from 'vitest';
import type { Json } from '../base/json.ts';
import type { Diff, DiffChange } from '../contract/diff.ts';
import { renderDiff } from './render-diff.ts';

const side = { ref: 'run:default/1', kind: 'run', name: '1' } as const;

function lines(change: Partial<DiffChange>, width?: number): string[] {
  const diff: Diff = {
    a: side,
    b: side,
    changes: [{ area: 'data', name: 'x', change: 'changed', ...change }],
    same: {},
    unknown: [],
    checkpoint: null,
  };
  return renderDiff(diff, { color: false, width }).slice(4);
}

const changed = (a: Json, b: Json): string => lines({ a, b }).join('\n');

describe('renderDiff', () => {
  it.each<[string, Json, Json, string]>([
    ['numbers', 0.1, 0.5, '  ~ x: 0.1 → 0.5'],
    ['short texts', 'grant', 'refuse', '  ~ x: grant → refuse'],
    ['lists', ['age: int', 'sex: text'], ['age: int', 'job: int'], '  ~ x: +job: int, -sex: text'],
    ['lists that hold an item more often', ['a'], ['a', 'a'], '  ~ x: +a'],
    ['lists in another order', ['a', 'b'], ['b', 'a'], '  ~ x: the same items in another order'],
    ['lists logged as text', "['age', 'sex']", "['age', 'job']", '  ~ x: +job, -sex'],
    ['lists of columns', [{ name: 'age', type: 'int' }], [], '  ~ x: -age: int'],
    [
      'lists of objects by what names their items',
      [{ code: 'AGE', weight: 1, value: 22 }],
      [
        { code: 'JOB', weight: 3, value: 1 },
        { code: 'AGE', weight: 2, value: 22 },
      ],
      '  ~ x: ~AGE.weight: 1 → 2, +JOB: {"weight":3,"value":1}',
    ],
    ['objects', { rows: 1, n: 2 }, { rows: 3, m: 2 }, '  ~ x: ~rows: 1 → 3, -n: 2, +m: 2'],
    ['other kinds of values', ['a'], 'a', '  ~ x: ["a"] → a'],
  ])('says what differs of %s', (_what, a, b, line) => {
    expect(changed(a, b)).toBe(line);
  });

  it('shows of long texts the part that differs', () => {
    const before = `SELECT ${'column, '.repeat(20)}age\nFROM credit WHERE ${'x AND '.repeat(20)}y`;
    const after = before.replace('age', 'sex');
    expect(changed(before, after)).toBe(
      '  ~ x: …mn, column, age FROM credit… → …mn, column, sex FROM credit…',
    );
    expect(changed(before, before.replace('\n', '  '))).toBe('  ~ x: white space only');
  });

  it('goes on below where the line would be too long', () => {
    const columns = Array.from({ length: 30 }, (_, index) => `column_${index}`);
    const all = lines({ a: [], b: columns }, 60);
    expect(all.length).toBeGreaterThan(3);
    for (const line of all) expect(line.length).toBeLessThanOrEqual(60);
    expect(all.at(-1)).toContain('… and 6 more');
  });

  it('shows the one side of what was added or removed, or its ref', () => {
    expect(lines({ change: 'added', b: ['champion', 'b'] })).toEqual(['  + x: champion, b']);
    expect(lines({ change: 'removed', aRef: 'run:default/1' })).toEqual(['  - x: run:default/1']);
    expect(lines({ change: 'added', note: 'Why.' })).toEqual(['  + x', '      Why.']);
  });

  it('writes no control characters of values', () => {
    const text = changed(['\u001B[2J', 'a'], [{ '\u0007': 1 }]) + changed('\u0007', '\u001B');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: it is what is looked for
    expect(text).not.toMatch(/[\u0000-\u0009\u001B]/);
  });
});
