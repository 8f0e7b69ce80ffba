import { expect, test } from 'vitest';
import { writeModeOfSql } from './sql-mode.ts';

test.each([
  ['CREATE TABLE feats USING parquet AS SELECT 1', 'wh/feats', 'replace'],
  ['create or replace table "db"."main"."feats" as select 1', 'db.main.feats', 'replace'],
  ['CREATE OR REPLACE TEMPORARY VIEW feats AS SELECT 1', 'feats', 'replace'],
  ['CREATE MATERIALIZED VIEW a.feats AS SELECT 1', 'x.a.feats', 'replace'],
  ['DROP TABLE IF EXISTS a.feats; INSERT INTO a.feats SELECT 1', 'a.feats', 'replace'],
  ['INSERT OVERWRITE TABLE feats SELECT 1', 'feats', 'replace'],
  ['TRUNCATE TABLE feats; INSERT INTO feats VALUES (1)', 'feats', 'replace'],
  ['-- load\n/* daily */ INSERT INTO public.feats SELECT 1', 'shop.public.feats', 'append'],
  ['CREATE TABLE IF NOT EXISTS feats (x int); INSERT INTO feats SELECT 1', 'feats', 'append'],
  ['MERGE INTO `p`.`d`.`feats` USING s ON 1=1', 'p.d.feats', 'append'],
  ['UPDATE feats SET x = 1', 'feats', 'append'],
  ['DELETE FROM feats WHERE x = 1', 'feats', 'append'],
  ['INSERT INTO other SELECT * FROM feats', 'feats', 'unknown'],
  ['SELECT 1', 'feats', 'unknown'],
  ['/* never closed INSERT INTO feats', 'feats', 'unknown'],
  ['', 'feats', 'unknown'],
])('%s means for %s: %s', (sql, dataset, mode) => {
  expect(writeModeOfSql(sql, dataset)).toBe(mode);
});

test('long and hostile SQL takes a bounded time', () => {
  const started = performance.now();
  for (const part of [
    '/*',
    '--',
    'create ',
    'create table a.',
    '"',
    '(((',
    'insert into x;',
    'create or replace \t ',
  ]) {
    writeModeOfSql(part.repeat(2_000_000 / part.length), 'feats');
  }
  expect(performance.now() - started).toBeLessThan(2_000);
});
