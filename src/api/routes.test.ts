import Fastify, { type FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { errorCodes, WherefromError } from '../base/errors.ts';
import { type Answer, answerSchema, type WalkInput } from '../contract/answer.ts';
import { problemSchema } from '../contract/problem.ts';
import { statusSchema } from '../contract/status.ts';
import { openApiDocument } from './openapi.ts';
import { apiOperations } from './operations.ts';
import { apiPrefix, registerApi } from './routes.ts';
import type { ApiServices } from './services.ts';

const answer: Answer = {
  ref: 'run:default/1',
  direction: 'upstream',
  asOf: { position: 3, recordedTime: '2026-01-01T00:00:00.000Z' },
  at: null,
  nodes: [{ ref: 'agent:default/tok_1', id: 'x', kind: 'agent', name: 'tok_1', attributes: {} }],
  edges: [],
  counts: [],
  stopped: [],
  completeness: { score: 1, missing: [] },
  checkpoint: null,
};

/** What the routes were asked; answers that have the shape of the contract and no meaning. */
const asked: { input?: WalkInput; workspace?: string } = {};
const services: ApiServices = {
  answers: {
    trace: async (input, { workspace }) => {
      Object.assign(asked, { input, workspace });
      return answer;
    },
    impact: async () => {
      throw new Error('a bug with /secret/path');
    },
    completeness: async ({ ref }) => {
      throw new WherefromError('conflict', `"${ref}" can mean 2 things.`, {
        hint: 'Choose.',
        detail: { candidates: [{ ref: 'model:default/a' }] },
      });
    },
    statements: async () => {
      throw new WherefromError('overloaded', 'Too much.');
    },
    diff: async () => {
      throw new WherefromError('overloaded', 'Too much.');
    },
    resolve: async (text) => ({
      query: text,
      ref: 'run:default/1',
      kind: 'run',
      name: '1',
      why: 'run id',
    }),
    search: async (query) => ({ query, items: [], more: false }),
  },
  status: async () => ({
    name: 'wherefrom',
    version: '0.1.0',
    position: -1,
    entries: 0,
    startedAt: '2026-01-01T00:00:00.000Z',
    authentication: 'none',
    counts: { runs: 0, datasets: 0, models: 0, modelVersions: 0, predictions: 0 },
    checkpoint: null,
  }),
  checkpoint: async () => 'log\n0\nroot\n',
  receipt: async () => {
    throw new WherefromError('not_found', 'There is no such message.');
  },
  reveal: (text) => text.replaceAll('tok_1', 'Ada'),
};

const app: FastifyInstance = Fastify();

beforeAll(async () => {
  app.decorateRequest('principal');
  app.addHook('onRequest', async (request) => {
    request.principal = { id: 'p', role: 'read', workspace: 'team', reach: 'all' };
  });
  registerApi(app, services);
  await app.ready();
});
afterAll(() => app.close());

const get = (path: string, headers: Record<string, string> = {}) =>
  app.inject({
    method: 'GET',
    url: path.startsWith('/problems') ? path : apiPrefix + path,
    headers,
  });

describe('questions', () => {
  it('reads every parameter, asks for the workspace of the key, and puts persons back', async () => {
    const query =
      'ref=credit-risk@3&depth=5&nodes=10&columns&asOf=12&at=2026-01-01&kinds=run,dataset';
    const response = await get(`/trace?${query}`);
    expect(response.statusCode).toBe(200);
    expect(asked).toEqual({
      workspace: 'team',
      input: {
        ref: 'credit-risk@3',
        depth: 5,
        nodes: 10,
        columns: true,
        asOf: { position: 12 },
        at: Date.UTC(2026, 0, 1),
        kinds: ['run', 'dataset'],
      },
    });
    expect(answerSchema.parse(response.json()).nodes[0]?.name).toBe('Ada');
  });

  it('takes a time of recording', async () => {
    await get('/trace?ref=x&asOf=2026-01-01T01:00:00%2B01:00');
    expect(asked.input?.asOf).toEqual({ recordedTime: Date.UTC(2026, 0, 1) });
  });

  it.each([
    ['/trace', '"ref"'],
    ['/trace?ref=', '"ref"'],
    ['/trace?ref=a&ref=b', '"ref"'],
    ['/trace?ref=a&depth=many', '"depth"'],
    ['/trace?ref=a&depth=-1', '"depth"'],
    ['/trace?ref=a&depth=100000', '"depth"'],
    ['/trace?ref=a&columns=perhaps', '"columns"'],
    ['/trace?ref=a&kinds=run,cat', '"kinds'],
    ['/trace?ref=a&asOf=yesterday', 'asOf'],
    ['/trace?ref=a&at=2026-13-45', 'at'],
    ['/trace?ref=a&dept=3', 'dept'],
    ['/diff?a=x', '"b"'],
    [`/trace?ref=${'x'.repeat(3000)}`, '"ref"'],
  ])('refuses %s and names what is wrong', async (path, what) => {
    const response = await get(path);
    expect(response.statusCode).toBe(422);
    expect(response.headers['content-type']).toContain('application/problem+json');
    const problem = problemSchema.parse(response.json());
    expect(problem).toMatchObject({ type: '/problems/invalid_message', code: 'invalid_message' });
    expect(problem.detail).toContain(what);
    expect(problem.hint).toBeTruthy();
  });

  it('answers an ambiguous ref with its candidates', async () => {
    const response = await get('/completeness?ref=a');
    expect(response.statusCode).toBe(409);
    expect(response.json()).toMatchObject({
      candidates: [{ ref: 'model:default/a' }],
      hint: 'Choose.',
    });
  });

  it('says nothing of what went wrong inside, but how to find it', async () => {
    const response = await get('/impact?ref=a');
    expect(response.statusCode).toBe(500);
    expect(response.body).not.toContain('secret');
    expect(problemSchema.parse(response.json()).instance).toBeTruthy();
  });

  it('says when to come back', async () => {
    const response = await get('/diff?a=x&b=y');
    expect(response.statusCode).toBe(503);
    expect(response.headers['retry-after']).toBe('1');
  });
});

describe('the server about itself', () => {
  it('answers status, checkpoint and receipts', async () => {
    statusSchema.parse((await get('/status')).json());
    expect((await get('/checkpoint')).headers['content-type']).toContain('text/plain');
    expect((await get('/receipts/1/0')).statusCode).toBe(404);
    expect((await get('/receipts/one/0')).statusCode).toBe(422);
  });

  it('answers unknown paths below its prefix with a problem', async () => {
    const response = await get('/nothing?x=1');
    expect(response.statusCode).toBe(404);
    expect(response.json()).toMatchObject({ detail: `There is no GET ${apiPrefix}/nothing.` });
  });

  it('explains every error code, to people and to programs', async () => {
    for (const code of Object.keys(errorCodes)) {
      expect((await get(`/problems/${code}`)).json()).toMatchObject({ code });
    }
    const page = await get('/problems/conflict', { accept: 'text/html' });
    expect(page.headers['content-type']).toContain('text/html');
    expect((await get('/problems/nonsense')).statusCode).toBe(404);
  });

  it('has a page that lists every operation and needs nothing from elsewhere', async () => {
    const page = await get('/docs');
    expect(page.headers['content-security-policy']).toContain("default-src 'none'");
    for (const { path } of apiOperations) expect(page.body).toContain(`<code>${path}</code>`);
    expect(page.body).not.toMatch(/(?:src|href)="(?:https?:)?\/\//);
  });
});

describe('the OpenAPI document', () => {
  const document = openApiDocument('0.1.0');
  const text = JSON.stringify(document);

  it('is served', async () => {
    expect((await get('/openapi.json')).json()).toEqual(JSON.parse(text));
  });

  it('has no reference that leads nowhere', () => {
    const components = Object.keys((document.components as { schemas: object }).schemas);
    const references = [...text.matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)];
    for (const [, name] of references) expect(components).toContain(name);
    expect(references.length).toBeGreaterThan(50);
    expect(text).not.toContain('__shared');
  });

  it('describes every route of this room, and no other but those that record', () => {
    const served = apiOperations.filter(({ method, path }) =>
      app.hasRoute({
        method: method === 'get' ? 'GET' : 'POST',
        url: apiPrefix + path.replace(/\{(\w+)\}/g, ':$1'),
      }),
    );
    const others = apiOperations.filter((operation) => !served.includes(operation));
    expect(others.every(({ tag }) => tag === 'Records')).toBe(true);
    expect(served.map(({ id }) => id)).toEqual([
      'trace',
      'impact',
      'completeness',
      'statements',
      'diff',
      'resolve',
      'search',
      'receipt',
      'checkpoint',
      'status',
      'openapi',
      'docs',
    ]);
  });

  it('says that answers may gain members', () => {
    expect(text).not.toContain('"additionalProperties":false');
  });
});
