import { statfsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { resolveShort } from '../api/resolve.ts';
import { systemClock } from '../base/clock.ts';
import { WherefromError } from '../base/errors.ts';
import { createSignedTokens } from '../base/signed-tokens.ts';
import type { BlobStore } from '../blobs/blobs.ts';
import { createUploads } from '../blobs/uploads.ts';
import {
  createDoor,
  createWorkspace,
  type DoorMonitor,
  defaultWorkspace,
  personLookup,
  replaceAgent,
  replaceHomes,
  revealTokens,
  type ServerDoor,
  settleDeliveries,
  type TransactionStore,
} from '../door/index.ts';
import { createOutboundGuard } from '../jobs/outbound-guard.ts';
import { createSecretBox } from '../jobs/secret-box.ts';
import { createWebhookJob, type WebhookJob } from '../jobs/webhooks.ts';
import { createSpanIntake } from '../protocols/index.ts';
import type { ProtocolServices, WebhookServices } from '../protocols/services.ts';
import type { SqliteStore } from '../store/sqlite/store.ts';
import { createApiServices } from './api-services.ts';
import { openBlobs } from './artifact-store.ts';
import { isLoopback } from './auth.ts';
import type { Config } from './config.ts';
import { type DataDirectory, openDataDirectory } from './data-directory.ts';
import { createHttp } from './http.ts';
import { createKeyRing } from './keys.ts';
import { createMetrics, type Metrics, type MetricsSources } from './metrics.ts';
import { openStore, recordRebuild } from './rebuild.ts';
import { watchArtifacts, watchWrites } from './watch-writes.ts';

/** Everything of a server, wired by hand. `app` answers injected requests before it listens. */
export interface Composed {
  readonly app: FastifyInstance;
  readonly directory: DataDirectory;
  readonly authentication: 'none' | 'keys';
  /** The door and the queries, for what runs in this process. */
  readonly services: ProtocolServices;
  /** Waits for what is queued, then closes the store and gives the directory free. */
  close(): Promise<void>;
}

/**
 * Builds the server over a data directory.
 * @throws conflict when the directory is in use; forbidden when it would listen beyond loopback
 *   without a key; integrity_broken when the record is damaged.
 */
export async function compose(config: Config): Promise<Composed> {
  const directory = openDataDirectory(config.data);
  try {
    const keys = createKeyRing(directory.path);
    const loopback = isLoopback(config.host);
    if (!loopback && !keys.required()) throw needsKey(config);
    const store = await openStore(directory);
    const metrics: Metrics = createMetrics(() => sources);
    const { blobs, ...artifacts } = await createArtifacts(config, directory);
    const health = watchWrites(config, { directory, blobs, metrics, app: () => app });
    const door = openDoor(directory, {
      transaction: (work) => health.watch('data', store.transaction(work)),
      committed(batch) {
        metrics.committed(batch);
        webhooks.job.wake();
      },
    });
    const sources: MetricsSources = {
      queued: door.queued,
      entries: async () => (await store.read((session) => session.ledger.head())).size,
      webhooks: () => store.read((session) => session.webhooks.totals()),
      diskBytes: () => diskBytes(directory),
      healthy: () => trouble() === undefined,
    };
    const trouble = (): string | undefined =>
      door.broken() === undefined ? health.trouble() : 'The record is damaged: nothing is written.';
    const persons = createPersons(store, directory);
    const webhooks = createWebhooks(config, { store, door, directory, persons, metrics });
    await ensureDefaultWorkspace(store, door);
    await recordRebuild(store, directory);
    webhooks.job.wake();
    const services: ProtocolServices = {
      door,
      ...artifacts,
      ...watchArtifacts(blobs, artifacts.uploads, health),
      read: (query) => store.read(query),
      searches: store.searches,
      ...persons,
      webhooks: webhooks.services,
      takeSpans: createSpanIntake(door),
      resolveShort,
      trouble,
      count: metrics.count,
    };
    const app = createHttp({
      basePath: config.basePath,
      jsonLog: config.jsonLog,
      guards: {
        keys,
        loopback,
        hasWorkspace: (name) => store.hasWorkspace(name),
        allowedHosts: config.allowedHosts,
        allowedOrigins: config.allowedOrigins,
      },
      metrics,
      protocolServices: services,
      apiServices: createApiServices({
        store,
        directory,
        persons,
        authentication: () => (keys.required() ? 'keys' : 'none'),
      }),
    });
    // A directory beside the record is on its disk; what lies elsewhere may be out of reach.
    if (config.artifacts !== '') void health.check('artifacts');
    return {
      app,
      directory,
      authentication: keys.required() ? 'keys' : 'none',
      services,
      close: once(async () => {
        await app.close();
        health.close();
        await webhooks.job.close();
        await door.idle();
        store.close();
        directory.lock?.release();
      }),
    };
  } catch (thrown) {
    directory.lock?.release();
    throw thrown;
  }
}

function needsKey({ host, data }: Config): WherefromError {
  return new WherefromError(
    'forbidden',
    `Without an API key the server listens on loopback only, not on ${host}.`,
    { hint: `Make a key first: wherefrom key create --name me --role admin --data ${data}` },
  );
}

/** The door of a data directory, over a store that somebody watches. */
function openDoor(directory: DataDirectory, watched: TransactionStore & DoorMonitor): ServerDoor {
  const { log, secret } = directory;
  return createDoor({ store: watched, clock: systemClock, log, secret, monitor: watched });
}

/** Where artifacts are kept, uploads in parts, and links to both. */
async function createArtifacts(
  config: Config,
  { blobsPath, secret }: DataDirectory,
): Promise<Pick<ProtocolServices, 'uploads' | 'links'> & { readonly blobs: BlobStore }> {
  return {
    blobs: await openBlobs(config, blobsPath),
    uploads: createUploads({ directory: join(blobsPath, 'uploads'), clock: systemClock }),
    links: {
      tokens: createSignedTokens({ secret, clock: systemClock }),
      publicUrl: config.publicUrl,
      basePath: config.basePath,
    },
  };
}

/** The job that makes the calls of webhooks, and what protocols need of it. */
function createWebhooks(
  config: Config,
  parts: {
    readonly store: SqliteStore;
    readonly door: ServerDoor;
    readonly directory: DataDirectory;
    readonly persons: Persons;
    readonly metrics: Metrics;
  },
): { readonly job: WebhookJob; readonly services: WebhookServices } {
  const { store, door, directory } = parts;
  const guard = createOutboundGuard({ allow: config.webhookAllow });
  const box = createSecretBox(directory.secret);
  const job = createWebhookJob({
    pending: (perWebhook) => store.read((session) => session.webhooks.pending(perWebhook)),
    async settle(workspace, deliveries) {
      const body = { deliveries };
      await door.submit({ operation: settleDeliveries, workspace, principal: 'system', body });
    },
    reveal: parts.persons.reveal,
    guard,
    box,
    clock: systemClock,
    log: directory.log,
    monitor: parts.metrics,
  });
  const services: WebhookServices = {
    async checkUrl(url) {
      await guard.check(url);
    },
    seal: box.seal,
    test: job.test,
  };
  return { job, services };
}

/** Closing twice is closing once. */
function once(close: () => Promise<void>): () => Promise<void> {
  let closed: Promise<void> | undefined;
  return () => {
    closed ??= close();
    return closed;
  };
}

async function ensureDefaultWorkspace(store: SqliteStore, door: ServerDoor): Promise<void> {
  const known = await store.read((session) => session.workspaces.findWorkspaceId(defaultWorkspace));
  if (known !== undefined) return;
  await door.submit({
    operation: createWorkspace,
    workspace: defaultWorkspace,
    principal: 'system',
    body: { name: defaultWorkspace },
  });
}

/** Persons in and out of the vault, for answers and filters. */
interface Persons {
  reveal(text: string): string;
  findToken(value: string): string | undefined;
  /** Puts known tokens in place of agents and of users in home directories, as the record has them. */
  tokenise(text: string): string;
}

export function createPersons(
  store: Pick<SqliteStore, 'findPerson' | 'findToken'>,
  directory: DataDirectory,
): Persons {
  const findToken = (value: string): string | undefined =>
    store.findToken(personLookup(directory.secret, value));
  return {
    reveal: (text) => revealTokens(text, (token) => store.findPerson(token)),
    findToken,
    tokenise(text) {
      const known = (person: string): string => findToken(person) ?? person;
      return replaceHomes(replaceAgent(text, known), known);
    },
  };
}

function diskBytes(directory: DataDirectory): { free: number; used: number } {
  const { bavail, bsize } = statfsSync(directory.path);
  const used = ['', '-wal', '-shm'].reduce(
    (sum, suffix) =>
      sum + (statSync(directory.storePath + suffix, { throwIfNoEntry: false })?.size ?? 0),
    0,
  );
  return { free: bavail * bsize, used };
}
