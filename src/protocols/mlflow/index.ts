import type { FastifyInstance } from 'fastify';
import type { Operation } from '../../door/index.ts';
import type { Protocol, ProtocolServices } from '../services.ts';
import { toMlflowReply } from './errors.ts';
import { evaluationOperations, registerEvaluationRoutes } from './evaluation/routes.ts';
import { registerGraphql } from './graphql/routes.ts';
import { importOperations } from './import/index.ts';
import { registerImportRoutes } from './import/routes.ts';
import { trackingOperations } from './operations/index.ts';
import { registerRegistryRoutes, registryOperations } from './registry/routes.ts';
import { registerReviewRoutes, reviewOperations } from './review/routes.ts';
import { createRouteHelpers, useJsonBodies, useMlflowErrors, useMlflowNotFound } from './routes.ts';
import { registerTraceRoutesV2, registerTraceRoutesV3, traceOperations } from './traces/index.ts';
import { registerArtifactRoutes, registerGetArtifact } from './tracking/artifact-routes.ts';
import { registerChartRoutes, registerPageRoutes } from './tracking/chart-routes.ts';
import { registerExperimentRoutes } from './tracking/experiment-routes.ts';
import { registerLogRoutes } from './tracking/log-routes.ts';
import { registerLoggedModelRoutes } from './tracking/logged-model-routes.ts';
import { registerMultipartRoutes } from './tracking/multipart-routes.ts';
import { registerPresignedRoutes } from './tracking/presigned-routes.ts';
import { registerRunRoutes } from './tracking/run-routes.ts';
import { webhookOperations } from './webhooks/operations.ts';
import { registerWebhookRoutes } from './webhooks/routes.ts';
import { workspaceOperations } from './workspaces/operations.ts';
import { registerWorkspaceRoutes } from './workspaces/routes.ts';

/** The MLflow whose API this is: clients switch features by it. */
const mlflowVersion = '3.17.2';

/** What the server can do, asked before any login. */
const serverInfo = ({ blobs }: ProtocolServices) => ({
  store_type: 'SqlStore',
  workspaces_enabled: true,
  trace_archival_enabled: false,
  multipart_uploads_enabled: true,
  // A client that reads this asks for a link before each file: worth it only when the link leads
  // past this server. Links are given all the same.
  multipart_downloads_enabled: blobs.link !== undefined,
  presigned_upload_run_id_supported: true,
  presigned_upload_model_id_supported: true,
  features_enabled: { gateway: false },
});

/** MLflow REST 2.0 and 3.0 with the artifacts proxy, as the `mlflow` client speaks it. */
export const mlflow: Protocol = {
  id: 'mlflow',
  title: 'MLflow',
  versions: ['2.0', '3.0'],
  refuse(path, error, reply) {
    const isOurs = /^\/(?:(?:ajax-)?api\/[23]\.0\/|graphql|get-artifact|model-versions\/)/.test(
      path,
    );
    if (!isOurs) return false;
    const { status, headers, body } = toMlflowReply(error);
    reply.code(status).headers(headers).type('application/json').send(JSON.stringify(body));
    return true;
  },
  register,
};

/** What ledger entries of this protocol mean. */
export const mlflowOperations: readonly Operation[] = [
  ...trackingOperations,
  ...registryOperations,
  ...traceOperations,
  ...evaluationOperations,
  ...reviewOperations,
  ...webhookOperations,
  ...workspaceOperations,
  ...importOperations,
];

function register(app: FastifyInstance, services: ProtocolServices): void {
  useJsonBodies(app);
  useMlflowErrors(app, services);
  app.get('/health', { config: { access: 'none' } }, (_request, reply) => {
    const trouble = services.trouble();
    return reply
      .code(trouble === undefined ? 200 : 503)
      .type('text/plain')
      .send(trouble ?? 'OK');
  });
  app.get('/version', { config: { access: 'none' } }, (_request, reply) =>
    reply.type('text/plain').send(mlflowVersion),
  );
  registerGetArtifact(app, services);
  registerImportRoutes(app, services);
  registerGraphql(app, services);
  // Clients call /api, MLflow's own pages /ajax-api.
  for (const prefix of ['/api/2.0', '/ajax-api/2.0']) {
    app.register(
      (scope, _options, done) => {
        registerVersion2(scope, services, prefix.startsWith('/ajax'));
        done();
      },
      { prefix },
    );
  }
  for (const prefix of ['/api/3.0', '/ajax-api/3.0']) {
    app.register(
      (scope, _options, done) => {
        useMlflowNotFound(scope);
        scope.get('/mlflow/server-info', { config: { access: 'none' } }, (_request, reply) =>
          reply.send(serverInfo(services)),
        );
        registerTraceRoutesV3(scope, createRouteHelpers(scope, services), services);
        registerEvaluationRoutes(createRouteHelpers(scope, services), services);
        registerReviewRoutes(createRouteHelpers(scope, services), services);
        registerWorkspaceRoutes(scope, services);
        done();
      },
      { prefix },
    );
  }
}

function registerVersion2(
  scope: FastifyInstance,
  services: ProtocolServices,
  ofPages: boolean,
): void {
  useMlflowNotFound(scope);
  const helpers = createRouteHelpers(scope, services);
  registerExperimentRoutes(helpers, services);
  registerRunRoutes(helpers, services);
  registerLogRoutes(helpers);
  registerLoggedModelRoutes(helpers, services);
  registerArtifactRoutes(scope, helpers, services);
  registerMultipartRoutes(scope, helpers, services);
  registerPresignedRoutes(scope, helpers, services);
  registerRegistryRoutes(scope, services, helpers);
  registerTraceRoutesV2(scope, helpers, services);
  registerWebhookRoutes(helpers, services);
  registerChartRoutes(helpers, services);
  if (ofPages) registerPageRoutes(helpers, services);
}
