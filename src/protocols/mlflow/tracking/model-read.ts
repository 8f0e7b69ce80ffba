import { sha256Hex } from '../../../base/digest.ts';
import { limits } from '../../../base/limits.ts';
import type { ProtocolServices } from '../../services.ts';
import { modelFileNames } from '../lineage/model-files.ts';
import type { ModelRead } from '../operations/logged-models.ts';

/** Files of one model that are looked at when it is finalized. */
const modelFilesMax = 100_000;

/**
 * The digest of a model's files, and the texts of those that say what it needs.
 * @param root its directory in the artifact store; undefined when its files are elsewhere.
 */
export async function readModelFiles(
  root: string | undefined,
  workspace: string,
  { read, blobs }: ProtocolServices,
): Promise<ModelRead | undefined> {
  if (root === undefined) return undefined;
  const files = await read(({ tracking }) =>
    tracking.artifactsBelow(workspace, root, modelFilesMax),
  );
  if (files.length === 0) return undefined;
  const texts: Record<string, string> = {};
  for (const name of modelFileNames) {
    const file = files.find(({ path }) => path === `${root}/${name}`);
    if (file === undefined || file.bytes > limits.modelFileBytesMax) continue;
    texts[name] = (await blobs.read(file.digest, limits.modelFileBytesMax)).toString('utf8');
  }
  const lines = files.map(({ path, digest }) => `${path.slice(root.length + 1)} ${digest}`).sort();
  return {
    files: files.length,
    bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
    digest: sha256Hex(lines.join('\n')),
    texts,
  };
}
