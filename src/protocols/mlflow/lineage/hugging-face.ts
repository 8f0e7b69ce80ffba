import { posix } from 'node:path';
import { isObject, text, texts } from '../../../base/json.ts';
import { limits } from '../../../base/limits.ts';

/** What `HuggingFaceDatasetSource` writes: the arguments of `datasets.load_dataset`. */
type Source = Readonly<Record<string, unknown>>;

export const isHuggingFace = (sourceType: string): boolean =>
  sourceType === 'hugging_face' || sourceType === 'hf';

/** Loaders of files that come with `datasets`: as a path they name a format, no dataset. */
const loaders: ReadonlySet<string> = new Set(
  (
    'arrow audiofolder cache csv eval generator hdf5 imagefolder json lance niftifolder pandas ' +
    'parquet pdffolder spark sql text videofolder webdataset xml'
  ).split(' '),
);

const isPlace = (path: string): boolean =>
  path.startsWith('/') || /^[a-z][a-z0-9+.-]*:/i.test(path);

/** The dataset on the hub, with its configuration (`glue:sst2`); undefined when it is files. */
export function hubName(said: Source): string | undefined {
  const path = text(said.path);
  if (path === undefined || path === '' || loaders.has(path)) return undefined;
  if (isPlace(path) || path.startsWith('.')) return undefined;
  const config = text(said.config_name);
  return config === undefined || config === '' || config === 'default' ? path : `${path}:${config}`;
}

/** Revisions that move: what they name today is no version. */
const moving = /^(main|master|HEAD|refs\/.*|None|)$/;

/** The revision on the hub: a commit or a tag, not a branch. */
export function hubRevision(said: Source): string | undefined {
  const revision = text(said.revision);
  if (revision === undefined || moving.test(revision) || hubName(said) === undefined)
    return undefined;
  return revision;
}

const strings = (value: unknown): string[] => (typeof value === 'string' ? [value] : texts(value));

/** Files of the splits that were loaded (`train`, `train+test`, `train[:80%]`); all without one. */
function filesOf(files: unknown, split: string): string[] {
  if (!isObject(files)) return strings(files);
  const names = split.split('+').map((part) => part.replace(/\[.*/, '').trim());
  const named = names.filter((name) => Object.hasOwn(files, name));
  return (named.length === 0 ? Object.keys(files) : named).flatMap((name) => strings(files[name]));
}

/**
 * Places of the files or the directory that a dataset was loaded from; none when it only says where
 * they are below the working directory. At most `limits.datasetFilesMax`.
 */
export function huggingFaceFiles(said: Source): string[] {
  const base = [text(said.data_dir), text(said.path)].find(
    (one) => one !== undefined && isPlace(one),
  );
  const files = filesOf(said.data_files, text(said.split) ?? '');
  if (files.length === 0) return base === undefined ? [] : [base];
  return files.slice(0, limits.datasetFilesMax).flatMap((name) => {
    if (isPlace(name)) return [name];
    return base === undefined ? [] : [`${base.replace(/\/+$/, '')}/${posix.normalize(name)}`];
  });
}
