/** Every route of MLflow's own server is served here, but for those that are named with their reason. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestServer, type TestServer } from './openlineage-server.ts';
import { runMlflowFlow } from './python-flow.ts';

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server?.stop());

/** What is left out on purpose; all of a group has one reason. */
const leftOut: Readonly<Record<string, RegExp>> = {
  "MLflow's own pages, and what they are made of": /^\/(?:$|static-files\/|build\/)/,
  'the gateway to language models': /\/mlflow\/gateway(?:\/|-proxy$)/,
  'runs of prompts in its own pages, by the gateway': /\/runs\/create-promptlab-run$/,
  'jobs that its server runs with language models':
    /\/(?:prompt-optimization\/jobs|jobs|scorer\/invoke$|genai\/evaluate\/invoke$|issues\/invoke$)/,
  'demo data and telemetry of its own pages': /\/(?:demo\/(?:generate|delete)|ui-telemetry)$/,
  'what it answers with 404 itself': /\/(?:get-online-trace-details|unified-traces)$/,
  'a path that it spells wrongly, and nobody calls': /\/2\.0mlflow\//,
};

test('the routes of MLflow are served, or left out with a reason', async () => {
  // What mlflow_routes.py printed: a list of pairs.
  const routes = await runMlflowFlow<[string, string][]>('mlflow_routes.py', server);
  expect(routes.length).toBeGreaterThan(300);
  const missing: string[] = [];
  const seen = new Set<string>();
  for (const [method, path] of routes) {
    const reason = Object.entries(leftOut).find(([, each]) => each.test(path))?.[0];
    const answer = await fetch(server.url + path, {
      method,
      headers: { authorization: `Bearer ${server.key}`, 'content-type': 'application/json' },
      ...(method === 'GET' ? {} : { body: '{}' }),
    });
    const served = !(await answer.text()).includes('is served here');
    if (reason !== undefined) seen.add(reason);
    if (!served && reason === undefined) missing.push(`${method} ${path}`);
  }
  expect(missing).toEqual([]);
  expect([...seen].sort()).toEqual(Object.keys(leftOut).sort());
});
