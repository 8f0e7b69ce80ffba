import { limits } from '../../../base/limits.ts';
import type { ImportContext } from './context.ts';
import type { ImportBody, ImportKind } from './messages.ts';
import type { ImportMessage, ImportResult } from './target.ts';

/** Sends messages in one request. */
export async function accept(
  { target }: Pick<ImportContext, 'target'>,
  messages: readonly ImportMessage[],
): Promise<readonly ImportResult[]> {
  return messages.length === 0 ? [] : target.accept(messages);
}

/** Sends bodies of one kind in requests of bounded size. @returns a result for each. */
export async function acceptPages<K extends ImportKind>(
  context: Pick<ImportContext, 'target'>,
  kind: K,
  bodies: readonly ImportBody<K>[],
): Promise<ImportResult[]> {
  const results: ImportResult[] = [];
  let page: ImportMessage[] = [];
  let bytes = 0;
  const send = async (): Promise<void> => {
    results.push(...(await accept(context, page)));
    page = [];
    bytes = 0;
  };
  for (const body of bodies) {
    const size = JSON.stringify(body).length;
    const full = page.length >= limits.importRequestMessagesMax;
    if (full || (bytes > 0 && bytes + size > limits.importRequestBytesMax)) await send();
    // The kind and the body's type are one parameter.
    page.push({ import: kind, body } as unknown as ImportMessage);
    bytes += size;
  }
  await send();
  return results;
}

/** Items in pieces of at most `count`, and of `importRequestBytesMax` unless one alone is larger. */
export function cutBySize<T>(items: readonly T[], count: number): T[][] {
  const pieces: T[][] = [];
  let bytes = 0;
  for (const item of items) {
    const size = JSON.stringify(item).length;
    const last = pieces.at(-1);
    if (last === undefined || last.length >= count || bytes + size > limits.importRequestBytesMax) {
      pieces.push([item]);
      bytes = size;
    } else {
      last.push(item);
      bytes += size;
    }
  }
  return pieces;
}

/** The body with the experiment's id here; undefined when its experiment was not brought. */
export function inExperiment<B extends { readonly experiment_id: string }>(
  body: B,
  what: string,
  { experiments, tally }: Pick<ImportContext, 'experiments' | 'tally'>,
): B | undefined {
  const id = experiments.get(body.experiment_id);
  if (id !== undefined) return { ...body, experiment_id: id };
  tally.trouble(what, `Its experiment ${body.experiment_id} was not brought.`);
  return undefined;
}

/** Tells how far a step of an import is. */
export function tellProgress(
  { tally, source, progress }: ImportContext,
  step: Parameters<NonNullable<ImportContext['progress']>>[0]['step'],
  of?: number,
): void {
  const points = tally.done('metric points');
  progress?.({ step, done: tally.done(step), of, points, pointsOf: source.totals.points });
}
