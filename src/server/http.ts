import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fastifyStatic from '@fastify/static';
import fastify, { type FastifyInstance } from 'fastify';
import { type ApiServices, registerApi, sendProblem } from '../api/index.ts';
import { WherefromError } from '../base/errors.ts';
import { limits } from '../base/limits.ts';
import { protocols } from '../protocols/index.ts';
import type { ProtocolServices } from '../protocols/services.ts';
import { type GuardOptions, registerGuards } from './auth.ts';
import type { Metrics } from './metrics.ts';
import { describeRequest } from './request-log.ts';
import { refuseUnreadable, sendUnrouted } from './unrouted.ts';

export interface HttpOptions {
  readonly basePath: string;
  readonly jsonLog: boolean;
  readonly guards: GuardOptions;
  readonly metrics: Metrics;
  readonly protocolServices: ProtocolServices;
  readonly apiServices: ApiServices;
}

/** The HTTP face: guards, every protocol in a scope of its own, our API, metrics and the web UI. */
export function createHttp(options: HttpOptions): FastifyInstance {
  const { basePath } = options;
  const app = fastify({
    logger: options.jsonLog && { serializers: { req: describeRequest } },
    bodyLimit: limits.predictionsBodyBytesMax,
    routerOptions: { maxParamLength: limits.refCharactersMax },
    // A proxy may pass the prefix on or cut it off: both are understood.
    rewriteUrl: (request) => {
      const url = request.url ?? '/';
      if (
        basePath === '' ||
        !(url === basePath || url.startsWith(`${basePath}/`) || url.startsWith(`${basePath}?`))
      )
        return url;
      const rest = url.slice(basePath.length);
      return rest.startsWith('/') ? rest : `/${rest}`;
    },
    frameworkErrors: sendUnrouted,
    clientErrorHandler: refuseUnreadable,
    forceCloseConnections: 'idle',
    requestTimeout: 0,
  });
  // Without the slash the page's relative links would lead outside of the prefix.
  app.addHook('onRequest', (request, reply, done) => {
    if (basePath !== '' && request.originalUrl === basePath) reply.redirect(`${basePath}/`, 308);
    else done();
  });
  registerGuards(app, options.guards);
  app.setErrorHandler((error, request, reply) => sendProblem(reply, error, request));
  app.setNotFoundHandler((request, reply) =>
    sendProblem(
      reply,
      new WherefromError(
        'not_found',
        `There is no ${request.method} ${request.url.split('?', 1)[0] ?? ''}.`,
        { hint: 'The page at / says how to point tools here.' },
      ),
      request,
    ),
  );
  for (const protocol of protocols) {
    app.register((scope, _options, done) => {
      scope.addHook('onResponse', (request, reply, next) => {
        if (reply.statusCode >= 400) options.metrics.count('refused', protocol.id);
        else if (request.method !== 'GET' && reply.hasHeader('wherefrom-receipt'))
          options.metrics.count('accepted', protocol.id);
        next();
      });
      protocol.register(scope, options.protocolServices);
      done();
    });
  }
  registerApi(app, options.apiServices);
  app.get('/metrics', async (_request, reply) =>
    reply.type('text/plain; version=0.0.4; charset=utf-8').send(await options.metrics.text()),
  );
  registerWeb(app);
  return app;
}

/** The web UI beside the code: `dist/web` of the package, or of a checkout once it was built. */
function registerWeb(app: FastifyInstance): void {
  const root = [
    fileURLToPath(new URL('../web/', import.meta.url)),
    fileURLToPath(new URL('../../dist/web/', import.meta.url)),
  ].find((path) => existsSync(path));
  if (root === undefined) {
    app.get('/', { config: { access: 'none' } }, (_request, reply) =>
      reply
        .type('text/html; charset=utf-8')
        .send(
          '<!doctype html><title>Wherefrom</title><p>Wherefrom is running. The web UI is not built: run <code>npm run build</code> in the checkout. The API is at <a href="api/wherefrom/v1/docs">api/wherefrom/v1/docs</a>.',
        ),
    );
    return;
  }
  app.register((scope, _options, done) => {
    scope.addHook('onRoute', (route) => {
      route.config = { ...route.config, access: 'none' };
    });
    scope.register(fastifyStatic, { root, wildcard: false, index: 'index.html' });
    done();
  });
}
