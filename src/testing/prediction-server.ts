import { randomBytes } from 'node:crypto';
import { createWorkspace, type Operation } from '../door/index.ts';
import type { Fact } from '../facts/facts.ts';
import { predictionOperations, predictions } from '../protocols/predictions/index.ts';
import { startProtocolServer } from './protocol-server.ts';
import { stateFacts } from './state-facts.ts';

// Looked up by name at replay, so their types are erased here.
const operations = [createWorkspace, stateFacts, ...predictionOperations] as unknown as Operation[];

export const model = (generation = 1): Fact => ({
  kind: 'model.created',
  name: 'credit-risk',
  generation,
  tags: [],
});

export const version = (number: number, generation = 1): Fact => ({
  kind: 'modelVersion.created',
  name: 'credit-risk',
  generation,
  version: number,
  source: 's3://b/x',
  storageLocation: 's3://b/x',
  tags: [],
});

export const champion = (number: number): Fact => ({
  kind: 'alias.set',
  name: 'credit-risk',
  generation: 1,
  alias: 'champion',
  version: number,
  time: 0,
});

export const refOf = (number: number): string => `modelVersion:default/credit-risk@${number}`;

export const prediction = (more: object = {}): object => ({
  modelVersion: 'credit-risk@1',
  features: { age: 30, income: 1200.5 },
  output: 0.7,
  ...more,
});

/** A server that takes predictions, with the versions 1 and 2 of `credit-risk`, and a clock by hand. */
export async function startPredictionServer() {
  const clock = { time: Date.parse('2026-01-01T00:00:00Z') };
  const { app, services, store, rebuild, close } = await startProtocolServer(
    (scope, each) => predictions.register(scope, each),
    { clock: { now: () => clock.time, random: randomBytes } },
  );
  const state = async (...facts: readonly Fact[]): Promise<void> => {
    await services.door.submit({
      operation: stateFacts,
      workspace: 'default',
      principal: 'tester',
      body: { facts },
    });
  };
  await state(model(), version(1), version(2));
  return {
    app,
    clock,
    store,
    state,
    rebuild: () => rebuild(operations),
    close,
    async post(path: string, body: unknown, headers: Record<string, string> = {}) {
      const payload =
        typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
      const response = await app.inject({
        method: 'POST',
        url: `/api/wherefrom/v1/${path}`,
        headers: { 'content-type': 'application/json', ...headers },
        payload,
      });
      return { status: response.statusCode, headers: response.headers, body: response.json() };
    },
    async show(id: string) {
      const response = await app.inject(`/api/wherefrom/v1/predictions/${id}`);
      return response.json();
    },
  };
}
