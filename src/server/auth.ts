import type { FastifyInstance, FastifyRequest } from 'fastify';
import { WherefromError } from '../base/errors.ts';
import { defaultWorkspace } from '../door/index.ts';
import type { Principal, Reach } from '../protocols/services.ts';
import type { KeyRing, Role } from './keys.ts';

const rank: Readonly<Record<Role, number>> = { read: 0, write: 1, admin: 2 };

/** Who sends while no key exists: anybody on this machine. */
const local: Sender = { id: 'local', role: 'admin', reach: 'all' };
const nobody: Principal = { id: 'nobody', role: 'read', workspace: defaultWorkspace, reach: [] };

/** Who sends, before it is known about which workspace. */
type Sender = Omit<Principal, 'workspace'>;

/** Names the workspace of a request: ours, and the one that MLflow's client sends. */
const workspaceHeaders = ['wherefrom-workspace', 'x-mlflow-workspace'] as const;

export interface GuardOptions {
  readonly keys: KeyRing;
  /** Host names that requests may carry besides loopback ones. */
  readonly allowedHosts: readonly string[];
  readonly allowedOrigins: readonly string[];
  /** True when the server listens on loopback only. */
  readonly loopback: boolean;
  /** True when there is a workspace of that name. */
  hasWorkspace(name: string): boolean;
}

/**
 * Guards every route: Host and Origin against pages in a browser, then the key and its role. What it
 * throws is rendered by the protocol whose route was asked.
 */
export function registerGuards(app: FastifyInstance, options: GuardOptions): void {
  // A prototype for the property; the hook below sets it before any route runs.
  app.decorateRequest('principal', null as unknown as Principal);
  app.addHook('onRequest', (request, reply, done) => {
    try {
      request.principal = nobody;
      checkHost(request, options);
      const origin = checkOrigin(request, options);
      if (origin !== undefined)
        reply.header('access-control-allow-origin', origin).header('vary', 'origin');
      if (origin !== undefined && request.method === 'OPTIONS') {
        // The browser asks before a page of an allowed origin may send a key or JSON.
        reply
          .code(204)
          .header('access-control-allow-methods', 'GET, POST, PUT, PATCH, DELETE')
          .header(
            'access-control-allow-headers',
            ['authorization', 'content-type', ...workspaceHeaders].join(', '),
          )
          .send();
        return;
      }
      request.principal = authenticate(request, options);
      done();
    } catch (thrown) {
      const error = thrown as Error;
      if (thrown instanceof WherefromError && thrown.code === 'unauthenticated')
        reply.header('www-authenticate', 'Basic realm="Wherefrom"');
      done(error);
    }
  });
}

/** A page in a browser reaches loopback by a name that resolves to it: that name is not ours. */
function checkHost(request: FastifyRequest, options: GuardOptions): void {
  if (!options.loopback && options.allowedHosts.length === 0) return;
  const host = hostName(request.headers.host ?? '');
  if (isLoopback(host) || options.allowedHosts.includes(host) || options.allowedHosts.includes('*'))
    return;
  throw new WherefromError('forbidden', `This server does not answer for the host "${host}".`, {
    hint: 'Start it with --allowed-hosts and that name, if it is meant to.',
  });
}

/** The origin to allow, for requests of pages; undefined for all other clients. */
function checkOrigin(request: FastifyRequest, options: GuardOptions): string | undefined {
  const { origin, host } = request.headers;
  if (origin === undefined) return undefined;
  if (options.allowedOrigins.includes(origin)) return origin;
  if (URL.canParse(origin) && new URL(origin).host === host) return undefined;
  throw new WherefromError('forbidden', `Pages of ${origin} may not use this server.`, {
    hint: 'Start it with --allowed-origins and that origin, if they should.',
  });
}

function hostName(host: string): string {
  return host
    .replace(/:\d+$/, '')
    .replace(/^\[|\]$/g, '')
    .toLowerCase();
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

/**
 * Who sends a request, and about which workspace.
 * @throws unauthenticated, forbidden; not_found when there is no such workspace.
 */
function authenticate(request: FastifyRequest, options: GuardOptions): Principal {
  const needed =
    request.routeOptions.config.access ??
    (request.method === 'GET' || request.method === 'HEAD' ? 'read' : 'write');
  if (needed === 'none') return nobody;
  const sender = senderOf(request, needed, options);
  return { ...sender, workspace: workspaceOf(request, sender.reach, options) };
}

/** The workspace that the request names, else the first that the sender reaches. */
function workspaceOf(request: FastifyRequest, reach: Reach, options: GuardOptions): string {
  const named = workspaceHeaders
    .map((header) => String(request.headers[header] ?? '').trim())
    .find((name) => name !== '');
  const name = named ?? (reach === 'all' ? defaultWorkspace : (reach[0] ?? defaultWorkspace));
  // Whether it exists is no business of who may not look into it.
  if (reach !== 'all' && !reach.includes(name))
    throw new WherefromError('forbidden', `This key may not use the workspace '${name}'.`, {
      hint: `It may use: ${reach.join(', ')}.`,
    });
  if (name === defaultWorkspace || options.hasWorkspace(name)) return name;
  throw new WherefromError('not_found', `Workspace '${name}' not found`);
}

function senderOf(request: FastifyRequest, needed: Role, { keys, loopback }: GuardOptions): Sender {
  // Beyond loopback nobody is let in without a key, whatever became of the key file.
  if (loopback && !keys.required()) return local;
  const text = keyText(request.headers.authorization);
  const key = text === undefined ? undefined : keys.find(text);
  if (!key) {
    const message =
      text === undefined ? 'This server needs an API key.' : 'The API key is not valid.';
    throw new WherefromError('unauthenticated', message, {
      hint: 'Send it as "Authorization: Bearer KEY", or with MLflow as MLFLOW_TRACKING_TOKEN, or as the password of HTTP Basic.',
    });
  }
  if (rank[key.role] < rank[needed]) {
    throw new WherefromError(
      'forbidden',
      `The key "${key.name}" may ${key.role}, this needs ${needed}.`,
      { hint: `Use a key of that role: "wherefrom key create --role ${needed}".` },
    );
  }
  return { id: key.id, role: key.role, reach: key.role === 'admin' ? 'all' : key.workspaces };
}

function keyText(header: string | undefined): string | undefined {
  const [scheme, value] = header?.split(' ', 2) ?? [];
  if (value === undefined) return undefined;
  if (scheme?.toLowerCase() === 'bearer') return value;
  if (scheme?.toLowerCase() !== 'basic') return undefined;
  const pair = Buffer.from(value, 'base64').toString('utf8');
  return pair.slice(pair.indexOf(':') + 1);
}
