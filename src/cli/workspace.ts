import { isObject, list } from '../base/json.ts';
import { isWorkspaceName } from '../door/index.ts';
import { type ExitCode, exitCodes, type Io, UsageError, writeJson } from './io.ts';
import { askMlflow, serverArgs } from './mlflow-api.ts';
import { clean } from './style.ts';
import { defineVerb } from './verb.ts';

const path = '/api/3.0/mlflow/workspaces';

/** `wherefrom workspace list|create|delete`: the separate areas of teams. */
export const verb = defineVerb({
  name: 'workspace',
  summary: 'List, create and delete workspaces of a server: teams apart from each other.',
  examples: [
    'wherefrom workspace list',
    'wherefrom workspace create risk --description "Who pays back"   # with an admin key',
    'wherefrom workspace delete risk             # refused while something is in it',
  ],
  args: {
    action: { type: 'positional', required: true, description: 'list, create or delete.' },
    name: { type: 'positional', required: false, description: 'create, delete: its name.' },
    description: { type: 'string', description: 'create: what it is for.' },
    cascade: { type: 'boolean', description: 'delete: also with what is in it.' },
    ...serverArgs,
  },
  async run(args, io) {
    switch (args.action) {
      case 'list':
        return listAll(args, io);
      case 'create': {
        const body = { name: newName(args.name), description: args.description };
        const { workspace } = await askMlflow(args, io, { method: 'POST', path, body });
        if (args.json) writeJson(io, workspace);
        else io.out(`The workspace ${body.name} is there.`);
        return exitCodes.done;
      }
      case 'delete': {
        const name = named(args.name);
        const mode = args.cascade === true ? 'CASCADE' : 'RESTRICT';
        const one = `${path}/${encodeURIComponent(name)}?mode=${mode}`;
        await askMlflow(args, io, { method: 'DELETE', path: one });
        if (args.json) writeJson(io, { deleted: name });
        else io.out(`The workspace ${name} is deleted. Its name is not given again.`);
        return exitCodes.done;
      }
      default:
        throw new UsageError(`"${args.action}" is not list, create or delete.`);
    }
  },
});

function named(name: string | undefined): string {
  if (name !== undefined) return name;
  throw new UsageError('Which workspace? Its name is missing.');
}

/** @throws UsageError for a name that no workspace can have. */
function newName(given: string | undefined): string {
  const name = named(given);
  if (isWorkspaceName(name)) return name;
  throw new UsageError(
    `"${name}" cannot be the name of a workspace.`,
    'Names have 2 to 63 lowercase letters, digits and inner hyphens.',
  );
}

async function listAll(
  args: Parameters<typeof askMlflow>[0] & { readonly json?: boolean | undefined },
  io: Io,
): Promise<ExitCode> {
  const answer = await askMlflow(args, io, { method: 'GET', path });
  const found = list(answer.workspaces).filter(isObject);
  if (args.json) writeJson(io, found);
  else for (const each of found) io.out(clean(`${each.name}  ${each.description ?? ''}`.trim()));
  return exitCodes.done;
}
