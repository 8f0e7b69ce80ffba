/** The first page in a real browser, as the server serves it: at the root and below a path. */
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startWebServer, type WebServer } from './web-server.ts';

// scripts/test.ts looks for a browser; without one this file is skipped, and `npm test` says so.
const executablePath = process.env.CHROMIUM_PATH;
const waitMs = 10_000;

const cleaning = {
  eventType: 'COMPLETE',
  eventTime: '2026-01-01T00:00:00Z',
  producer: 'https://example.com/producer',
  schemaURL: 'https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent',
  run: { runId: '0190a000-0000-7000-8000-000000000001', facets: {} },
  job: { namespace: 'dbt', name: 'clean_credit', facets: {} },
  inputs: [{ namespace: 'file', name: '/data/raw.csv', facets: {} }],
  outputs: [{ namespace: 'file', name: '/data/clean.csv', facets: {} }],
};
const predictions = {
  predictions: ['applicant-1', 'applicant-2'].map((id) => ({
    id,
    modelVersion: 'credit-risk@1',
    output: 0.9,
  })),
};

describe.skipIf(executablePath === undefined)('the first page', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await chromium.launch({
      executablePath: executablePath ?? '',
      args: ['--no-sandbox', '--disable-gpu', '--disable-quic'],
    });
  });
  afterAll(async () => browser.close());

  describe.each([
    ['at the root', []],
    ['below a path', ['--base-path', '/lineage']],
  ])('%s', (_where, flags) => {
    let server: WebServer;
    let context: BrowserContext;
    let page: Page;
    /** What a developer would see in red: errors on the console, and of the page itself. */
    let errors: string[];
    /** Addresses that the page asked for. */
    let asked: string[];

    beforeAll(async () => {
      server = await startWebServer(...flags);
      await server.post('/api/v1/lineage', cleaning);
      await server.post('/api/2.0/mlflow/registered-models/create', { name: 'credit-risk' });
      const version = { name: 'credit-risk', source: 's3://models/1' };
      await server.post('/api/2.0/mlflow/model-versions/create', version);
      await server.post('/api/wherefrom/v1/predictions', predictions);
    });
    afterAll(async () => server.stop());

    beforeEach(async () => {
      context = await browser.newContext();
      const { origin } = new URL(server.url);
      await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin });
      page = await context.newPage();
      page.setDefaultTimeout(waitMs);
      errors = [];
      asked = [];
      page.on('console', (message) => {
        if (message.type() === 'error') errors.push(`${message.text()} ${message.location().url}`);
      });
      page.on('pageerror', (error) => errors.push(String(error)));
      page.on('request', (request) => asked.push(request.url()));
    });
    afterEach(async () => context.close());

    const open = async (query = ''): Promise<void> => {
      await page.goto(`${server.url}/${query}`);
      await page.getByText('Running', { exact: true }).waitFor();
    };
    const ask = async (ref: string): Promise<void> => {
      await page.getByLabel('Where did this come from?').fill(ref);
      await page.getByRole('button', { name: 'Trace' }).click();
    };
    const nodes = async (): Promise<string[]> => {
      await page.getByText('Full answer').waitFor();
      return page.locator('.nodes li').allInnerTexts();
    };

    it('shows how the server is and what it holds', async () => {
      await open();
      const figures = await page.locator('.figure').allInnerTexts();
      expect(figures.map((figure) => figure.replace(/\s+/g, ' '))).toEqual(
        expect.arrayContaining(['runs 1', 'datasets 2', 'model versions 1', 'predictions 2']),
      );
      await page.getByText(/^Version \d.*no API key: everybody on this machine/).waitFor();
      await page.getByText('Latest signed checkpoint of the ledger').click();
      await page.getByText(/^wherefrom\/[0-9a-f]+\n\d+\n/).waitFor();
      expect(errors).toEqual([]);
    });

    it('says how to point tools at this very address, and copies it', async () => {
      await open();
      for (const [tool, command] of [
        ['MLflow', `export MLFLOW_TRACKING_URI=${server.url}\npython train.py`],
        // Without the slash its client drops the last part of a path.
        ['OpenLineage', `export OPENLINEAGE_URL=${server.url}${flags.length > 0 ? '/' : ''}\n`],
        [
          'Predictions',
          `export WHEREFROM_URL=${server.url}\ncurl $WHEREFROM_URL/api/wherefrom/v1/`,
        ],
        ['Asking', `export WHEREFROM_URL=${server.url}\nwherefrom trace`],
      ] as const) {
        const card = page.getByRole('article').filter({ hasText: command.split('\n', 1)[0] ?? '' });
        const guide = card.filter({ has: page.getByRole('heading', { name: tool }) });
        expect(await guide.locator('pre').innerText()).toContain(command);
        const button = guide.getByRole('button', { name: `Copy the commands for ${tool}` });
        await button.click();
        await guide
          .getByRole('status')
          .filter({ hasText: 'Copied' })
          .waitFor({ state: 'attached' });
        expect(await page.evaluate('navigator.clipboard.readText()')).toContain(command);
      }
      expect(errors).toEqual([]);
    });

    it('answers where something came from, and keeps the question in the address', async () => {
      await open();
      await ask('/data/clean.csv');
      expect(await nodes()).toEqual(
        expect.arrayContaining([
          expect.stringMatching(/^run\s+0190a000-0000-7000-8000-000000000001$/),
          expect.stringMatching(/^dataset\s+\/data\/raw\.csv$/),
          expect.stringMatching(/^job\s+clean_credit$/),
        ]),
      );
      await page.reload();
      expect((await nodes()).join('\n')).toContain('/data/raw.csv');
      expect(errors).toEqual([]);
    });

    it('says what is wrong with a question that has no answer', async () => {
      await open();
      await ask('nothing-of-that-name');
      const note = page.getByRole('alert');
      await note.waitFor();
      expect(await note.innerText()).toContain(
        'Nothing recorded is called "nothing-of-that-name".',
      );
      // The browser itself reports the refusal, and nothing else is wrong.
      expect(errors).toEqual([expect.stringContaining('trace?ref=nothing-of-that-name')]);
    });

    it('says when nothing is known of where something came from', async () => {
      await open('?ref=source:namespace/file');
      await page
        .getByText('Nothing is recorded of where source:namespace/file came from.')
        .waitFor();
      expect(errors).toEqual([]);
    });

    it('offers what may have been meant', async () => {
      await open('?ref=applicant-');
      await page.getByText('"applicant-" can mean 2 things.').waitFor();
      await page.getByRole('button', { name: 'prediction:default/applicant-2' }).click();
      expect((await nodes()).join('\n')).toContain('credit-risk@1');
      expect(await page.getByLabel('Where did this come from?').inputValue()).toBe(
        'prediction:default/applicant-2',
      );
    });

    it('asks for nothing but its own address, and its links lead somewhere', async () => {
      await open('?ref=applicant-1');
      await nodes();
      expect(asked.length).toBeGreaterThan(3);
      for (const address of asked) expect(address.startsWith(`${server.url}/`)).toBe(true);
      const links = await page
        .getByRole('link')
        .evaluateAll((found) =>
          found.map((link) => (link as unknown as { readonly href: string }).href),
        );
      expect(links.length).toBeGreaterThan(2);
      for (const link of links) expect([link, (await fetch(link)).status]).toEqual([link, 200]);
    });
  });
});
