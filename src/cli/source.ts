import type { ParsedArgs } from 'citty';
import { createClient } from '../client/index.ts';
import type { Answer, MomentInput, WalkInput } from '../contract/answer.ts';
import type { Completeness } from '../contract/completeness.ts';
import type { Diff } from '../contract/diff.ts';
import type { Status } from '../contract/status.ts';
import { type Io, UsageError } from './io.ts';
import { jsonArg } from './verb.ts';

/** Options of every verb that reads. */
export const sourceArgs = {
  url: {
    type: 'string',
    description: 'Server to ask; WHEREFROM_URL, else http://127.0.0.1:4747.',
  },
  key: { type: 'string', description: 'API key; WHEREFROM_API_KEY.' },
  data: { type: 'string', description: 'Read this data directory instead, without a server.' },
  workspace: {
    type: 'string',
    description: 'Where short refs are looked up; the first of the key, or "default".',
  },
  ...jsonArg,
} as const;

/** Where a server listens when nothing else is said. */
const defaultUrl = 'http://127.0.0.1:4747';

/** The questions that verbs ask, of a server or of a data directory. */
export interface Questions {
  trace(input: WalkInput): Promise<Answer>;
  impact(input: WalkInput): Promise<Answer>;
  completeness(ref: string, moment: MomentInput): Promise<Completeness>;
  diff(a: string, b: string, moment: MomentInput): Promise<Diff>;
  status(): Promise<Status>;
}

/** Asks the server, or with --data the directory, which is closed afterwards. */
export async function withSource<T>(
  args: ParsedArgs<typeof sourceArgs>,
  io: Io,
  ask: (questions: Questions) => Promise<T>,
): Promise<T> {
  if (args.data === undefined) return ask(clientOf(args, io));
  if (args.url !== undefined) throw new UsageError('Give either --url or --data, not both.');
  const { openReadOnly } = await import('../server/offline.ts');
  const opened = await openReadOnly(args.data);
  const scope = { workspace: args.workspace ?? 'default', reach: 'all' } as const;
  const { services } = opened;
  const { answers } = services;
  // Persons are put back, as the API does it: who can read the directory can read its vault.
  const reveal = <V>(value: V): V => JSON.parse(services.reveal(JSON.stringify(value))) as V;
  try {
    return await ask({
      trace: async (input) => reveal(await answers.trace(input, scope)),
      impact: async (input) => reveal(await answers.impact(input, scope)),
      completeness: async (ref, moment) =>
        reveal(await answers.completeness({ ref, ...moment }, scope)),
      diff: async (a, b, moment) => reveal(await answers.diff({ a, b, ...moment }, scope)),
      status: () => services.status(),
    });
  } finally {
    await opened.close();
  }
}

/** Address of a server, the usual one when none is named. @throws UsageError when it is none. */
export function readUrl(named: string | undefined): string {
  const url = named ?? defaultUrl;
  if (/^https?:\/\//i.test(url) && URL.canParse(url)) return url;
  throw new UsageError(`"${url}" is not the address of a server.`, `Write it as ${defaultUrl}.`);
}

/** A client of the server that the options or the environment name. */
export function clientOf(
  args: {
    readonly url?: string | undefined;
    readonly key?: string | undefined;
    readonly workspace?: string | undefined;
  },
  io: Io,
) {
  return createClient({
    url: readUrl(args.url ?? io.environment.url),
    key: args.key ?? io.environment.apiKey,
    workspace: args.workspace,
  });
}
