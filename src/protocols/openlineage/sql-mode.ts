import type { WriteMode } from '../../facts/lineage-facts.ts';

/** Only the beginning is looked at: what a statement does is said in its first words. */
const sqlCharactersMax = 64 * 1024;
/** Statements looked at, so that one message costs a bounded time. */
const statementsMax = 200;

const tableName =
  '((?:[\\w$]+|"[^"]+"|`[^`]+`|\\[[^\\]]+\\])(?:\\s?\\.\\s?(?:[\\w$]+|"[^"]+"|`[^`]+`|\\[[^\\]]+\\])){0,4})';

/** How a statement begins, and what it does to the table that it names. First match counts. */
const rules: readonly { readonly starts: RegExp; readonly mode: WriteMode }[] = [
  {
    starts: new RegExp(
      `^create\\s+or\\s+replace\\s+(?:\\w+\\s+){0,3}?(?:table|view)\\s+${tableName}`,
      'i',
    ),
    mode: 'replace',
  },
  {
    starts: new RegExp(
      `^create\\s+(?:\\w+\\s+){0,3}?(?:table|view)\\s+if\\s+not\\s+exists\\s+${tableName}`,
      'i',
    ),
    mode: 'unknown',
  },
  {
    starts: new RegExp(`^create\\s+(?:\\w+\\s+){0,3}?(?:table|view)\\s+${tableName}`, 'i'),
    mode: 'replace',
  },
  {
    starts: new RegExp(`^insert\\s+overwrite\\s+(?:into\\s+)?(?:table\\s+)?${tableName}`, 'i'),
    mode: 'replace',
  },
  // What is dropped and then filled again begins empty.
  {
    starts: new RegExp(`^drop\\s+(?:table|view)\\s+(?:if\\s+exists\\s+)?${tableName}`, 'i'),
    mode: 'replace',
  },
  { starts: new RegExp(`^truncate\\s+(?:table\\s+)?${tableName}`, 'i'), mode: 'replace' },
  {
    starts: new RegExp(
      `^(?:insert|merge)\\s+(?:or\\s+\\w+\\s+)?into\\s+(?:table\\s+)?${tableName}`,
      'i',
    ),
    mode: 'append',
  },
  { starts: new RegExp(`^update\\s+${tableName}\\s`, 'i'), mode: 'append' },
  { starts: new RegExp(`^delete\\s+from\\s+${tableName}`, 'i'), mode: 'append' },
];

/** Last part of a qualified name or path, without quotes, in lower case. */
function lastPart(name: string): string {
  const bare = name.replace(/["`[\]\s]/g, '');
  return bare.slice(Math.max(bare.lastIndexOf('.'), bare.lastIndexOf('/')) + 1).toLowerCase();
}

/** The text with line and block comments taken out, in one pass; comment marks inside strings count too. */
function withoutComments(sql: string): string {
  const kept: string[] = [];
  const marks = /--|\/\*/g;
  let from = 0;
  for (let mark = marks.exec(sql); mark; mark = marks.exec(sql)) {
    kept.push(sql.slice(from, mark.index));
    const closing = mark[0] === '--' ? '\n' : '*/';
    const end = sql.indexOf(closing, mark.index + 2);
    if (end < 0) return kept.join(' ');
    from = end + (mark[0] === '--' ? 0 : 2);
    marks.lastIndex = from;
  }
  kept.push(sql.slice(from));
  return kept.join(' ');
}

/**
 * What SQL did to a dataset, read from the first words of each statement: it replaced the content
 * (CREATE TABLE, OVERWRITE, TRUNCATE), kept it (INSERT INTO, MERGE, UPDATE, DELETE), or cannot be told.
 * The statement must name the dataset by its last part. No parser: a guess that errs to `unknown`.
 */
export function writeModeOfSql(query: string, dataset: string): WriteMode {
  const wanted = lastPart(dataset);
  const statements = withoutComments(query.slice(0, sqlCharactersMax)).split(';', statementsMax);
  let mode: WriteMode = 'unknown';
  for (const statement of statements) {
    const sql = statement.trim();
    for (const { starts, mode: found } of rules) {
      const match = starts.exec(sql);
      if (!match) continue;
      if (match[1] !== undefined && lastPart(match[1]) === wanted) {
        if (found === 'replace') return 'replace';
        if (found === 'append') mode = 'append';
      }
      break;
    }
  }
  return mode;
}
