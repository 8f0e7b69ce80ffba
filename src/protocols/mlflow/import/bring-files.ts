import { limits } from '../../../base/limits.ts';
import { artifactPath, joinPath } from '../tracking/artifact-path.ts';
import type { ImportContext } from './context.ts';
import { filesBelow } from './files.ts';
import { placeOf } from './places.ts';
import type { SourceFile } from './source.ts';

/** Whose files: a run or a logged model. */
export interface Owner {
  readonly what: string;
  /** Location at the source, and here. */
  readonly from: string;
  readonly here: string;
  /** It must have files: a model without any was lost. */
  readonly expected?: boolean;
}

/** Brings the files of runs or models that are not here yet, and says of which they stay where they are. */
export async function bringFiles(owners: readonly Owner[], context: ImportContext): Promise<void> {
  const { tally, target } = context;
  if (!context.files) return;
  const found: { readonly owner: Owner; readonly root: string; readonly file: SourceFile }[] = [];
  for (const owner of owners) {
    const root = artifactPath(owner.here);
    const files = root === undefined ? undefined : filesOf(owner, context);
    if (files === undefined || root === undefined) {
      tally.leave(leftBehind(owner));
      continue;
    }
    try {
      let count = 0;
      for await (const file of files) {
        found.push({ owner, root, file });
        count += 1;
      }
      if (count === 0 && owner.expected)
        tally.trouble(owner.what, `There are no files in ${owner.from}.`);
    } catch (thrown) {
      tally.trouble(
        `files of ${owner.what}`,
        thrown instanceof Error ? thrown.message : String(thrown),
      );
    }
  }
  if (found.length === 0) return;
  const { files: known } = await target.known({
    roots: [...new Set(found.map(({ root }) => root))],
  });
  await inParallel(found, async ({ owner, root, file }) => {
    const path = joinPath(root, file.path);
    if (known[path] === file.bytes) return tally.count('files', 'there');
    const what = `file ${file.path} of ${owner.what}`;
    try {
      const result = await target.putFile({ path, time: file.time }, await file.open());
      tally.result('files', what, result);
      if (result.outcome === 'brought') tally.bytes(file.bytes);
    } catch (thrown) {
      tally.trouble(what, thrown instanceof Error ? thrown.message : String(thrown));
    }
  });
}

/** The files at the source; undefined when they stay where they are. */
export function filesOf(
  { from }: Owner,
  { base, source }: Pick<ImportContext, 'base' | 'source'>,
): AsyncIterable<SourceFile> | undefined {
  const place = placeOf(from, base);
  if (place.kind === 'directory') return filesBelow(place.path);
  return place.kind === 'proxied' ? source.proxied?.(place.path) : undefined;
}

function leftBehind({ from }: Owner): { what: string; count: number; reason: string } {
  const scheme = /^([a-zA-Z][\w+.-]+):/.exec(from)?.[1];
  const count = 1;
  const what = 'artifact locations';
  if (from === '') return { what, count, reason: 'the source names none' };
  if (scheme === 'mlflow-artifacts') {
    const reason = 'the files are behind a proxy that was not given: name it with --artifacts';
    return { what: `${what} (mlflow-artifacts:)`, count, reason };
  }
  const reason =
    scheme === undefined || scheme === 'file'
      ? 'the directories are not on this machine: the reference is kept'
      : 'left where they are: the reference is kept';
  return { what: `${what} (${scheme ?? 'file'}:)`, count, reason };
}

/** Runs the work with at most so many at the same time. */
async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let item = items[next++]; item !== undefined; item = items[next++]) await work(item);
  };
  await Promise.all(Array.from({ length: limits.importFetchesMax }, worker));
}
