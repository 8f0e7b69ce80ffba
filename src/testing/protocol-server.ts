import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { resolveShort } from '../api/resolve.ts';
import type { Clock } from '../base/clock.ts';
import { systemClock } from '../base/clock.ts';
import { createSignedTokens } from '../base/signed-tokens.ts';
import {
  createDoor,
  createWorkspace,
  defaultWorkspace,
  type Operation,
  personLookup,
  replay,
  revealTokens,
} from '../door/index.ts';
import { createProtocolApp, type ProtocolApp } from '../protocols/app-suite.ts';
import { createSpanIntake } from '../protocols/otlp/index.ts';
import type { ProtocolServices } from '../protocols/services.ts';
import { compareProjections, openShadowStore, openSqliteStore } from '../store/sqlite/open.ts';
import type { SqliteStore } from '../store/sqlite/store.ts';

/** A server of one or a few protocols over a real door and a real store in a temporary directory. */
export interface ProtocolServer {
  readonly app: ProtocolApp;
  readonly store: SqliteStore;
  readonly services: ProtocolServices;
  /** Rebuilds from the ledger beside the store. @returns what came out differently: nothing, ever. */
  rebuild(operations: readonly Operation[]): Promise<string[]>;
  close(): Promise<void>;
}

const secret = Buffer.alloc(32, 7);

/** Starts one; `register` adds the routes in a scope of its own. */
export async function startProtocolServer(
  register: (app: ProtocolApp, services: ProtocolServices) => void,
  options: { readonly clock?: Clock } = {},
): Promise<ProtocolServer> {
  const directory = mkdtempSync(join(tmpdir(), 'wherefrom-test-'));
  const path = join(directory, 'store.sqlite');
  const { store } = openSqliteStore(path);
  const door = createDoor({ store, clock: options.clock ?? systemClock, log: 'test', secret });
  await door.submit({
    operation: createWorkspace,
    workspace: defaultWorkspace,
    principal: 'system',
    body: { name: defaultWorkspace },
  });
  const services: ProtocolServices = {
    door,
    blobs: unused('blobs'),
    uploads: unused('uploads'),
    links: {
      tokens: createSignedTokens({ secret, clock: options.clock ?? systemClock }),
      publicUrl: '',
      basePath: '',
    },
    read: (query) => store.read(query),
    searches: store.searches,
    reveal: (text) => revealTokens(text, (token) => store.findPerson(token)),
    findToken: (value) => store.findToken(personLookup(secret, value)),
    webhooks: unused('webhooks'),
    takeSpans: createSpanIntake(door),
    resolveShort,
    trouble: () => door.broken()?.message,
    count: () => undefined,
  };
  const app = await createProtocolApp(
    { id: 'tester', role: 'admin', workspace: defaultWorkspace, reach: 'all' },
    (scope) => register(scope, services),
  );
  return {
    app,
    store,
    services,
    async rebuild(operations) {
      const shadowPath = `${path}.rebuild`;
      const shadow = openShadowStore(shadowPath);
      await store.read((session) => replay({ ledger: session.ledger, target: shadow, operations }));
      shadow.close();
      const differences = compareProjections(path, shadowPath);
      for (const suffix of ['', '-wal', '-shm']) rmSync(shadowPath + suffix, { force: true });
      return differences;
    },
    async close() {
      await app.close();
      await door.idle();
      store.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** A service that these tests never call; calling it says so. */
function unused<T extends object>(name: string): T {
  const refuse = (): never => {
    throw new Error(`the test server has no ${name}`);
  };
  // Every member of the proxy refuses, whatever the type promises.
  return new Proxy({}, { get: refuse }) as T;
}
