import fastify, { type FastifyInstance } from 'fastify';
import type { Principal } from './services.ts';

export type ProtocolApp = FastifyInstance;

/** An HTTP app for tests of protocols: every request comes from `principal`. */
export async function createProtocolApp(
  principal: Principal,
  register: (scope: ProtocolApp) => void,
): Promise<ProtocolApp> {
  const app = fastify();
  app.decorateRequest('principal');
  app.addHook('onRequest', async (request) => {
    request.principal = principal;
  });
  await app.register(async (scope) => register(scope));
  return app;
}
