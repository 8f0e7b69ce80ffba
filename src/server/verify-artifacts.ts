import { existsSync } from 'node:fs';
import { toWherefromError } from '../base/errors.ts';
import { limits } from '../base/limits.ts';
import { checkBlobs } from '../blobs/check-directory.ts';
import { openSqliteReader } from '../store/sqlite/open.ts';
import { artifactDirectory } from './artifact-store.ts';
import type { Config } from './config.ts';
import { readDataDirectory } from './data-directory.ts';

/** What reading the artifacts showed; a verdict, as `Verification` is. */
export interface ArtifactsVerification {
  /** How many were read, and their bytes together. */
  readonly blobs: number;
  readonly bytes: number;
  /** One line for each that is damaged, or named and not there: the first ones, and how many more. */
  readonly problems: readonly string[];
  /** What was not looked at, and why. */
  readonly notes: readonly string[];
}

/**
 * Compares every artifact of the local store with the digest that is its name, and looks for those
 * that the record names; also while a server runs. Those in a bucket are not read.
 * @param progress is told after each blob how many bytes were read so far.
 * @throws not_found when it is no data directory; storage_unavailable.
 */
export async function verifyArtifacts(
  config: Config,
  progress: (bytes: number) => void = () => undefined,
): Promise<ArtifactsVerification> {
  const { blobsPath, storePath } = readDataDirectory(config.data);
  const total = { blobs: 0, bytes: 0 };
  const directory = artifactDirectory(config, blobsPath);
  if (directory === undefined)
    return {
      ...total,
      problems: [],
      notes: [`The artifacts in ${config.artifacts} were not checked.`],
    };
  // Asked before the directory is read: what is named later may come after its turn.
  const { named, notes } = await readNamed(storePath);
  if (config.artifacts === '' && named.size > 0 && !existsSync(`${directory}/sha256`))
    return { ...total, problems: [], notes: [notHere(directory, named.size)] };
  const problems: string[] = [];
  for await (const { digest, bytes, problem } of checkBlobs(directory)) {
    named.delete(digest);
    if (problem !== undefined) problems.push(`The artifact ${digest} ${problem}.`);
    total.blobs += 1;
    total.bytes += bytes;
    progress(total.bytes);
  }
  for (const digest of named) problems.push(`The artifact ${digest} is missing.`);
  return { ...total, problems: cut(problems), notes };
}

const notHere = (directory: string, count: number): string =>
  `The record names ${count} artifacts, and none is kept in ${directory}: they were not checked. Give --artifacts as the server has it.`;

function cut(problems: readonly string[]): string[] {
  const more = problems.length - limits.blobProblemsMax;
  if (more <= 0) return [...problems];
  return [
    ...problems.slice(0, limits.blobProblemsMax),
    `${more} more artifacts are damaged or missing.`,
  ];
}

/** Which blobs are named stands in projections: those may need a rebuild, which is no damage of the record. */
async function readNamed(
  storePath: string,
): Promise<{ readonly named: Set<string>; readonly notes: readonly string[] }> {
  try {
    const store = openSqliteReader(storePath);
    try {
      return {
        named: new Set(await store.read(({ tracking }) => tracking.namedBlobs())),
        notes: [],
      };
    } finally {
      store.close();
    }
  } catch (thrown) {
    const { message } = toWherefromError(thrown);
    return { named: new Set(), notes: [`Missing artifacts were not looked for: ${message}`] };
  }
}
