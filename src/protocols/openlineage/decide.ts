import { sha256Hex } from '../../base/digest.ts';
import { WherefromError } from '../../base/errors.ts';
import { isObject } from '../../base/json.ts';
import type { DecideContext, Decision } from '../../door/index.ts';
import { withoutSecrets } from './persons.ts';
import { namesSomething } from './wire.ts';

/** What an accepted event is answered with. A duplicate appended nothing. */
export interface LineageAnswer {
  readonly duplicate: boolean;
}

/**
 * The key under which an event is known to have come: its time as it was written, then the digest of
 * its content. Events of one time lie side by side in the index; digests alone lie anywhere, and each
 * would make the writer write a page of its own.
 */
export function seenKey(message: unknown, digest: string): string {
  const time = isObject(message) ? message.eventTime : undefined;
  return `${typeof time === 'string' ? time.slice(0, 30) : ''} ${digest.slice(0, 40)}`;
}

/**
 * Decides one RunEvent, JobEvent or DatasetEvent. Its key is a digest of its content, from
 * which persons and secrets have been taken before; the same event again is `unchanged`. White space
 * does not count; the order of keys does, for it is the same when a producer sends an event again, and
 * putting it in order would take a tenth of the time of an event. One that gets by changes no fact.
 * @throws invalid_message when it is no object, or names no run, job or dataset.
 */
export async function decideEvent(
  body: unknown,
  context: DecideContext,
): Promise<Decision<unknown, LineageAnswer>> {
  if (!isObject(body)) {
    throw new WherefromError('invalid_message', 'The event is not a JSON object.', {
      hint: 'Send one RunEvent, JobEvent or DatasetEvent; lists go to /api/v1/lineage/batch.',
    });
  }
  if (!namesSomething(body)) {
    throw new WherefromError('invalid_message', 'The event names no run, no job and no dataset.', {
      hint: 'Give run.runId with job.name, or job.name alone, or dataset.name.',
    });
  }
  const message = withoutSecrets(body);
  const key = sha256Hex(JSON.stringify(message));
  if (await context.state.lineage.findEventKey(context.workspace, seenKey(message, key))) {
    return { outcome: 'unchanged', answer: { duplicate: true } };
  }
  const answer = { duplicate: false };
  // A set stores the message that it is given; `accepted` would store the one with the secrets in it.
  return message === body
    ? { outcome: 'accepted', decided: { key }, answer }
    : { outcome: 'acceptedSet', payloads: [{ message, decided: { key } }], answer };
}
