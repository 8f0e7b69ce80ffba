import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { WherefromError } from '../base/errors.ts';
import type {
  ImportReport,
  ImportTarget,
  ImportWorkspace,
  MlflowSource,
} from '../protocols/mlflow/import/tool.ts';
import { type ExitCode, exitCodes, type Io, UsageError } from './io.ts';
import { readConfig } from './read-config.ts';
import { createImportProgress, renderImport } from './render-import.ts';
import { readUrl } from './source.ts';
import { defineVerb, jsonArg } from './verb.ts';

/** `wherefrom import mlflow SOURCE`: brings a whole MLflow server or database over. */
export const verb = defineVerb({
  name: 'import',
  summary: 'Bring a whole MLflow server or database over, with its ids, times and histories.',
  examples: [
    'wherefrom import mlflow sqlite:///mlflow.db                    # into the server that runs here',
    'wherefrom import mlflow sqlite:////srv/mlflow.db --data DIR    # without a server',
    'wherefrom import mlflow http://mlflow:5000 --to http://lineage:4747 --key KEY',
    'wherefrom import mlflow http://mlflow:5000 --workspace risk    # into the workspace risk',
    'wherefrom import mlflow sqlite:///mlflow.db                    # again: goes on, brings what is new',
  ],
  args: {
    kind: { type: 'positional', required: true, description: 'mlflow.' },
    source: {
      type: 'positional',
      required: true,
      description: 'sqlite:///PATH of a database, or the URL of a server.',
    },
    to: {
      type: 'string',
      description: 'Server to import into; WHEREFROM_URL, else http://127.0.0.1:4747.',
    },
    key: { type: 'string', description: 'API key of the role admin; WHEREFROM_API_KEY.' },
    data: { type: 'string', description: 'Import into this data directory, without a server.' },
    artifacts: {
      type: 'string',
      description:
        'Directory or server URL behind mlflow-artifacts: locations; ./mlartifacts, or the server itself.',
    },
    'skip-artifacts': { type: 'boolean', description: 'Leave all files where they are.' },
    workspace: {
      type: 'string',
      description: 'Workspace of MLflow to read.',
      default: 'default',
    },
    into: {
      type: 'string',
      description: 'Workspace to import into, made when it is missing; the one of the same name.',
    },
    'all-workspaces': {
      type: 'boolean',
      description: 'Every workspace of MLflow, each into the one of the same name.',
    },
    ...jsonArg,
  },
  async run(args, io) {
    if (args.kind !== 'mlflow')
      throw new UsageError(`"${args.kind}" cannot be imported.`, 'Only mlflow can.');
    if (args.data !== undefined && args.to !== undefined)
      throw new UsageError('Give either --to or --data, not both.');
    const all = args['all-workspaces'] === true;
    if (all && (args.into !== undefined || args.workspace !== 'default'))
      throw new UsageError('--all-workspaces takes no --workspace and no --into.');
    const workspaces = await workspacesOf(args.source, io);
    const named = workspaces.filter(({ name }) => all || name === args.workspace);
    if (named.length === 0) {
      const known = workspaces.map(({ name }) => name).join(', ');
      throw new UsageError(`There is no workspace "${args.workspace}".`, `It has: ${known}.`);
    }
    return withTargets(args, io, async (targetOf) => {
      const codes: ExitCode[] = [];
      for (const workspace of named) {
        const into = { ...workspace, name: args.into ?? workspace.name };
        await ensureWorkspace(into, targetOf('default'));
        if (all && args.json !== true) io.out(`Workspace ${into.name}`);
        const imported = { args, from: workspace.name, target: targetOf(into.name) };
        codes.push(await importWorkspace(imported, io));
      }
      return codes.find((code) => code !== exitCodes.done) ?? exitCodes.done;
    });
  },
});

/** The workspace that is imported into, made when there is none of that name. */
async function ensureWorkspace(workspace: ImportWorkspace, target: ImportTarget): Promise<void> {
  const [result] = await target.accept([{ import: 'workspace', body: workspace }]);
  if (result?.outcome === 'brought' || result?.outcome === 'there') return;
  throw new WherefromError(
    'conflict',
    result?.message ?? `The workspace ${workspace.name} cannot be made.`,
    { hint: 'Name another one with --into.' },
  );
}

/** Imports one workspace of the source and reports. */
async function importWorkspace(
  imported: { readonly args: SourceArgs; readonly from: string; readonly target: ImportTarget },
  io: Io,
): Promise<ExitCode> {
  const { args, from, target } = imported;
  const { runImport } = await import('../protocols/mlflow/import/tool.ts');
  const { source, base } = await openSource(args, from, io);
  const started = performance.now();
  const progress = createImportProgress(io, args.json === true);
  try {
    const report = await runImport({
      ...{ source, target, base },
      files: args['skip-artifacts'] !== true,
      progress: progress.told,
    });
    progress.end();
    const seconds = (performance.now() - started) / 1_000;
    renderImport(report, { io, json: args.json === true, seconds });
    return exitCodeOf(report);
  } finally {
    progress.end();
    source.close();
  }
}

/** What should have come and did not makes it fail; what is left by its kind does not. */
const exitCodeOf = ({ troubleCount }: ImportReport): ExitCode =>
  troubleCount > 0 ? exitCodes.failed : exitCodes.done;

interface SourceArgs {
  readonly source: string;
  readonly artifacts?: string | undefined;
  readonly json?: boolean | undefined;
  readonly 'skip-artifacts'?: boolean | undefined;
  readonly 'all-workspaces'?: boolean | undefined;
}

const isUrl = (text: string): boolean => /^https?:\/\//i.test(text);

/** The workspaces that the source has. */
async function workspacesOf(source: string, io: Io): Promise<readonly ImportWorkspace[]> {
  const { restWorkspaces, sqliteWorkspaces } = await import('../protocols/mlflow/import/tool.ts');
  return isUrl(source)
    ? restWorkspaces({ url: source, ...io.environment.mlflow })
    : sqliteWorkspaces(resolve(databasePath(source)));
}

/** The source that was named, and where its relative paths begin. */
async function openSource(
  { source: named, artifacts, 'all-workspaces': others }: SourceArgs,
  workspace: string,
  io: Io,
): Promise<{ readonly source: MlflowSource; readonly base: string }> {
  const { openSqliteSource, openRestSource, proxiedDirectory, proxiedUrl } = await import(
    '../protocols/mlflow/import/tool.ts'
  );
  // A server without workspaces refuses to be asked for one.
  const login = {
    ...io.environment.mlflow,
    workspace: workspace === 'default' ? undefined : workspace,
  };
  const proxied =
    artifacts === undefined
      ? undefined
      : isUrl(artifacts)
        ? proxiedUrl({ url: artifacts, ...login })
        : proxiedDirectory(artifacts);
  if (isUrl(named))
    return { source: await openRestSource({ url: named, ...login, proxied }), base: process.cwd() };
  const path = resolve(databasePath(named));
  const base = dirname(path);
  const beside = [join(base, 'mlartifacts'), resolve('mlartifacts')].find((each) =>
    existsSync(each),
  );
  const files = proxied ?? (beside === undefined ? undefined : proxiedDirectory(beside));
  return { source: openSqliteSource({ path, workspace, others, proxied: files }), base };
}

/** The file of `sqlite:///PATH`, as SQLAlchemy reads it: a fourth slash begins an absolute path. */
function databasePath(source: string): string {
  const path = /^sqlite:\/\/\/([^?]+)/.exec(source)?.[1];
  if (path !== undefined) return path;
  if (!/^[a-z][\w+.-]*:/i.test(source) && existsSync(source)) return source;
  const scheme = /^([a-z]\w*)(?:\+\w+)?:/i.exec(source)?.[1]?.toLowerCase();
  const other = scheme === undefined ? undefined : databases[scheme];
  if (other !== undefined)
    throw new UsageError(
      `A database in ${other} is read through a server of MLflow.`,
      'Start one on it ("mlflow server --backend-store-uri URI --artifacts-destination …", of the version that uses it), and import from its URL: wherefrom import mlflow http://127.0.0.1:5000',
    );
  throw new UsageError(
    // It may hold a password.
    `"${source.replace(/\/\/[^/@]*@/, '//…@')}" is no source that can be read.`,
    'Give sqlite:///PATH, or the URL of a running "mlflow server", which reads every other store.',
  );
}

/** Databases that MLflow also uses, by their scheme. */
const databases: Readonly<Record<string, string>> = {
  postgresql: 'PostgreSQL',
  postgres: 'PostgreSQL',
  mysql: 'MySQL',
  mariadb: 'MariaDB',
  mssql: 'SQL Server',
};

interface TargetArgs {
  readonly to?: string | undefined;
  readonly key?: string | undefined;
  readonly data?: string | undefined;
}

/** A target for each workspace. */
type TargetOf = (workspace: string) => ImportTarget;

/** Through a server, or with --data through a door of our own: there is one writer either way. */
async function withTargets<T>(
  args: TargetArgs,
  io: Io,
  work: (targetOf: TargetOf) => Promise<T>,
): Promise<T> {
  const { createImportTarget, createRemoteTarget } = await import(
    '../protocols/mlflow/import/tool.ts'
  );
  if (args.data === undefined) {
    const url = readUrl(args.to ?? io.environment.url);
    const key = args.key ?? io.environment.apiKey;
    return work((workspace) => createRemoteTarget({ url, key, workspace }));
  }
  const { compose } = await import('../server/compose.ts');
  const { config } = readConfig({ data: args.data, host: '127.0.0.1' }, io);
  const composed = await compose(config);
  try {
    const { services } = composed;
    return await work((workspace) =>
      createImportTarget(services, { principal: 'local', workspace }),
    );
  } finally {
    await composed.close();
  }
}
