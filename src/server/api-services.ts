import type { ApiServices } from '../api/index.ts';
import { systemClock } from '../base/clock.ts';
import { WherefromError } from '../base/errors.ts';
import type { ReceiptMessage, Status } from '../contract/status.ts';
import { decodeBlock, decodeEntry, signCheckpoint } from '../ledger/index.ts';
import { iso } from '../lineage/index.ts';
import { protocols } from '../protocols/index.ts';
import type { SqliteReadSession } from '../store/sqlite/read-session.ts';
import type { SqliteReaderStore } from '../store/sqlite/store.ts';
import { checkpointOf, createAnswers } from './answers.ts';
import type { DataDirectory } from './data-directory.ts';
import { packageVersion } from './package-info.ts';

export interface ApiServicesOptions {
  readonly store: Pick<SqliteReaderStore, 'read' | 'graphChangedSince'>;
  readonly directory: DataDirectory;
  readonly persons: {
    reveal(text: string): string;
    tokenise(text: string): string;
    findToken(person: string): string | undefined;
  };
  authentication(): Status['authentication'];
  readonly askedTime?: number | undefined;
}

/** What our API answers, over a store that a server writes to or that is only read. */
export function createApiServices(options: ApiServicesOptions): ApiServices {
  const { store, directory, persons } = options;
  const startedAt = new Date().toISOString();
  const version = packageVersion();
  return {
    answers: createAnswers({
      read: (query) => store.read(query),
      graphChanges: (position) => store.graphChangedSince(position),
      signer: directory.signer,
      tokenise: persons.tokenise,
      findToken: persons.findToken,
      now: systemClock.now,
      askedTime: options.askedTime,
    }),
    status: () =>
      store.read(async (session): Promise<Status> => {
        const head = await session.ledger.head();
        const nodes = await session.lineage.countNodes();
        const { predictions } = await session.predictions.countAll();
        const traces = session.traces.countAll();
        return {
          name: 'wherefrom',
          version,
          position: head.size - 1,
          entries: head.size,
          startedAt,
          authentication: options.authentication(),
          counts: {
            runs: nodes.run ?? 0,
            datasets: nodes.dataset ?? 0,
            models: nodes.model ?? 0,
            modelVersions: nodes.modelVersion ?? 0,
            predictions: predictions + traces,
          },
          checkpoint: checkpointOf(head, directory.signer),
          protocols: protocols.map(({ id, title, versions }) => ({
            id,
            title,
            versions: [...versions],
          })),
        };
      }),
    checkpoint: () =>
      store.read(async (session) => signCheckpoint(await session.ledger.head(), directory.signer)),
    receipt: (position, index, scope) =>
      store.read(async (session) => {
        const message = await readReceipt(session, directory.log, position, index);
        const workspace = session.workspaces.findWorkspaceName(message.workspace);
        if (scope.reach === 'all' || scope.reach.includes(workspace ?? '')) return message;
        throw new WherefromError(
          'forbidden',
          `Message ${index} at position ${position} is of a workspace that this key may not use.`,
        );
      }),
    reveal: persons.reveal,
  };
}

async function readReceipt(
  session: SqliteReadSession,
  log: string,
  position: number,
  index: number,
): Promise<ReceiptMessage> {
  const stored = session.ledger.list(position, 1)[0];
  const text =
    stored?.position === position ? decodeBlock(stored.block, position)[index] : undefined;
  if (stored === undefined || text === undefined) {
    throw new WherefromError(
      'not_found',
      `The ledger has no message ${index} at position ${position}.`,
      { hint: 'A receipt reads: log, position, index.' },
    );
  }
  const entry = decodeEntry(stored.entry, position);
  const payload = JSON.parse(text) as Pick<ReceiptMessage, 'message' | 'decided'>; // written by the door
  return {
    receipt: { log, position, index },
    recordedTime: iso(entry.time),
    protocol: entry.protocol,
    operation: entry.operation,
    principal: entry.principal,
    workspace: entry.workspace,
    count: entry.count,
    root: entry.root,
    message: payload.message,
    decided: payload.decided,
  };
}
