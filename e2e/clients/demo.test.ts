/** The demo from end to end, twice over one data directory: the second run adds to the first. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { countPredictions, type DemoAnswers, findGaps } from '../../scripts/demo/check.ts';
import type { EntityKind } from '../../src/facts/kinds.ts';

const root = join(import.meta.dirname, '..', '..');
const directory = mkdtempSync(join(tmpdir(), 'wherefrom-demo-'));
const data = join(directory, 'data');

async function runDemo(name: string): Promise<DemoAnswers & { readonly output: string }> {
  const json = join(directory, `${name}.json`);
  const args = ['scripts/demo.ts', '--exit', '--json', json, '--data', data, '--port', '0'];
  // Rejects when the demo exits with another code than 0, with all that it said.
  const { stdout } = await promisify(execFile)(process.execPath, args, {
    cwd: root,
    maxBuffer: 16 * 1024 * 1024,
  });
  // Written by the demo from our own server's answers.
  return { ...(JSON.parse(readFileSync(json, 'utf8')) as DemoAnswers), output: stdout };
}

let first: Awaited<ReturnType<typeof runDemo>>;
let second: Awaited<ReturnType<typeof runDemo>>;

beforeAll(async () => {
  first = await runDemo('first');
  second = await runDemo('second');
}, 10 * 60_000);

afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe('the demo', () => {
  it('traces a refused applicant to the source columns without a gap', () => {
    expect(findGaps(first.trace, '/source/german_credit.csv')).toEqual([]);
    expect(findGaps(second.trace, '/source/german_credit.csv')).toEqual([]);
  });

  it('meets every kind of thing on the way', () => {
    const kinds = new Set(first.trace.nodes.map(({ kind }) => kind));
    const expected: EntityKind[] = [
      'agent',
      'artifact',
      'code',
      'dataset',
      'datasetVersion',
      'deployment',
      'environment',
      'field',
      'job',
      'model',
      'modelVersion',
      'prediction',
      'run',
      'source',
    ];
    expect(expected.filter((kind) => !kinds.has(kind))).toEqual([]);
  });

  it('records what the applicant was refused on', () => {
    const { trace } = first;
    const prediction = trace.nodes.find(({ ref }) => ref === trace.ref);
    expect(prediction?.attributes).toMatchObject({
      decision: 'refuse',
      deployment: 'credit-scoring',
    });
    const { features, reasonCodes, output } = prediction?.attributes ?? {};
    expect(features).toMatchObject({ age: expect.any(Number), duration: expect.any(Number) });
    expect(reasonCodes).toHaveLength(4);
    expect(output).toMatchObject({ probabilityOfDefault: expect.any(Number) });
  });

  it('finds the source by its content, and the training data with its role', () => {
    const { edges, nodes } = first.trace;
    const version = nodes.find(({ ref }) => /german_credit\.csv@sha256:[0-9a-f]{64}$/.test(ref));
    expect(version?.kind).toBe('datasetVersion');
    expect(edges.filter(({ relation }) => relation === 'read-by').map(({ role }) => role)).toEqual(
      expect.arrayContaining(['train', 'test']),
    );
  });

  it('says how complete the lineage is', () => {
    expect(first.trace.completeness.score).toBeGreaterThan(0.8);
    expect(first.output).toMatch(/Completeness \d+ %/);
  });

  it('counts exactly the predictions made, and adds those of a second run', () => {
    expect(countPredictions(first.impact)).toBe(1000);
    expect(countPredictions(second.impact)).toBe(2000);
    expect(second.trace.ref).not.toBe(first.trace.ref);
  });

  it('does not reach the first version, which knew no age, by the column age', () => {
    const versions = second.impact.nodes.filter(({ kind }) => kind === 'modelVersion');
    expect(versions.map(({ ref }) => ref).sort()).toEqual([
      'modelVersion:default/credit-risk@2',
      'modelVersion:default/credit-risk@4',
    ]);
  });

  it('prints both answers and where to ask again', () => {
    expect(first.output).toContain('bin/wherefrom trace applicant-');
    expect(first.output).toContain('/api/wherefrom/v1/impact?ref=');
  });
});
