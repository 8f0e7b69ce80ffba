import { isObject, list, text } from '../base/json.ts';
import { exitCodes, UsageError, writeJson } from './io.ts';
import { askMlflow, serverArgs } from './mlflow-api.ts';
import { clean } from './style.ts';
import { defineVerb } from './verb.ts';

const path = '/api/2.0/mlflow/webhooks';

/** `wherefrom webhook list|enable|disable`: who is called when something is registered. */
export const verb = defineVerb({
  name: 'webhook',
  summary: 'List webhooks of a workspace, and switch them on and off.',
  examples: [
    'wherefrom webhook list --workspace risk',
    'wherefrom webhook enable 01234567-89ab-4cde-8f01-23456789abcd   # as after an import',
  ],
  args: {
    action: { type: 'positional', required: true, description: 'list, enable or disable.' },
    id: { type: 'positional', required: false, description: 'enable, disable: its id.' },
    workspace: { type: 'string', description: 'Of which workspace; the first of the key.' },
    ...serverArgs,
  },
  async run(args, io) {
    if (args.action === 'list') {
      const { webhooks } = await askMlflow(args, io, {
        method: 'GET',
        // A workspace has no more.
        path: `${path}?max_results=1000`,
      });
      const found = list(webhooks).filter(isObject);
      if (args.json) writeJson(io, found);
      else if (found.length === 0) io.out('There are no webhooks in this workspace.');
      else for (const each of found) io.out(lineOf(each));
      return exitCodes.done;
    }
    if (args.action !== 'enable' && args.action !== 'disable')
      throw new UsageError(`"${args.action}" is not list, enable or disable.`);
    if (args.id === undefined) throw new UsageError('Which webhook? Its id is missing.');
    const status = args.action === 'enable' ? 'ACTIVE' : 'DISABLED';
    const { webhook } = await askMlflow(args, io, {
      method: 'PATCH',
      path: `${path}/${encodeURIComponent(args.id)}`,
      body: { status },
    });
    if (args.json) writeJson(io, webhook);
    else io.out(lineOf(isObject(webhook) ? webhook : {}));
    return exitCodes.done;
  },
});

function lineOf(webhook: Readonly<Record<string, unknown>>): string {
  const events = list(webhook.events)
    .filter(isObject)
    .map(({ entity, action }) => `${String(entity)}.${String(action)}`.toLowerCase());
  const parts = [webhook.webhook_id, webhook.status, webhook.name, webhook.url, events.join(' ')];
  return clean(parts.map((part) => text(part) ?? '').join('  '));
}
