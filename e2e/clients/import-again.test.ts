import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createImportHarness, entries, type MlflowServer, type Printed } from './import-harness.ts';

let harness: Awaited<ReturnType<typeof createImportHarness>>;
let mlflow: MlflowServer;
/** What MLflow shows after it was filled, and after it went on. */
let filled: Printed;
let changed: Printed;
const script = 'import_again.py';

const sources = ['database', 'server'] as const;
type Source = (typeof sources)[number];
const sourceOf = (source: Source): string =>
  source === 'database' ? `sqlite:///${harness.database}` : mlflow.url;
const dataOf = (source: Source): string => `${harness.directory}/data-${source}`;
const importAgain = (source: Source) =>
  harness.importFrom(sourceOf(source), '--data', dataOf(source));

const show = (url: string): Promise<Printed> => harness.script(script, url, ['dump']);

/** What a server of ours shows of the data, and how many entries it has. */
async function showHere(
  source: Source,
): Promise<{ readonly shown: Printed; readonly size: number }> {
  const server = await harness.serve(dataOf(source));
  try {
    return { shown: await show(server.url), size: await entries(server.url) };
  } finally {
    await server.stop();
  }
}

/** A registered model with another name is another one here: the one of the old name stays. */
function withoutOldName(shown: Printed): Printed {
  const models = shown.models as readonly { readonly name: string }[];
  return { ...shown, models: models.filter(({ name }) => name !== 'old name') };
}

const none = (counts: Readonly<Record<string, number>>): boolean =>
  Object.values(counts).every((count) => count === 0);

beforeAll(async () => {
  harness = await createImportHarness();
  mlflow = await harness.startMlflow();
  await harness.script(script, mlflow.url, ['fill']);
  filled = await show(mlflow.url);
  for (const source of sources) {
    const report = await importAgain(source);
    expect(report.troubles).toEqual([]);
    expect(report.brought).toMatchObject({ issues: 2, 'label schemas': 4, 'review queues': 2 });
    expect(report.brought).toMatchObject({ 'review items': 4, webhooks: 2 });
    expect((await showHere(source)).shown).toEqual(filled);
  }
  await harness.script(script, mlflow.url, ['change']);
  changed = await show(mlflow.url);
}, 600_000);
afterAll(() => harness.close());

describe.each(sources)('an MLflow that went on after an import, read from its %s', (source) => {
  let size: number;

  test('is here as it is there after the next import', async () => {
    const report = await importAgain(source);
    expect([report.troubles, report.differences]).toEqual([[], []]);
    expect(report.changed).toMatchObject({ experiments: 4, runs: 5, aliases: 3, webhooks: 1 });
    const here = await showHere(source);
    expect(withoutOldName(here.shown)).toEqual(changed);
    ({ size } = here);
  });

  test('says nothing new after that: no entry is added', async () => {
    const report = await importAgain(source);
    expect([none(report.brought), none(report.changed), report.differences]).toEqual([
      ...[true, true],
      [],
    ]);
    expect((await showHere(source)).size).toBe(size);
  });

  test('overwrites nothing that was changed here, and says what differs', async () => {
    const server = await harness.serve(dataOf(source));
    const { url } = server;
    await harness.script(script, url, ['ours']);
    await server.stop();
    const before = (await showHere(source)).shown;
    const report = await importAgain(source);
    expect(none(report.changed)).toBe(true);
    const told = report.differences.flatMap(({ what, fields }) =>
      fields.map((field) => `${what.replace(/[0-9a-f]{32}/, 'ID').replace(/ \(.*/, '')}: ${field}`),
    );
    expect(told.sort()).toEqual([
      'alias champion of risk: version',
      'evaluation dataset d-ID: tag.of',
      'experiment 1: tag.stage',
      'issue iss-ID: status',
      'label schema ls-ID: name',
      'registered model risk: description',
      'review queue rq-ID: name',
      'run ID: status',
      'run ID: tag.changed',
      'trace tr-ID: tag.changed',
      'version 1 of risk: current_stage',
      'webhook builds: name',
    ]);
    expect((await showHere(source)).shown).toEqual(before);
  });
});
