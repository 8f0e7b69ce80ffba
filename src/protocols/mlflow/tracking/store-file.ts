import type { Readable } from 'node:stream';
import { limits } from '../../../base/limits.ts';
import type { StoredBlob } from '../../../blobs/blobs.ts';
import type { ProtocolServices } from '../../services.ts';
import { isModelFile, putArtifact } from '../operations/artifacts.ts';
import { type Call, submit } from '../routes.ts';
import { takeSpansOfFile } from '../traces/spans-file.ts';

/** The text of a file that describes a model of a 2.x client; logged models are read when finalized. */
export async function modelText(
  path: string,
  stored: StoredBlob,
  { blobs }: ProtocolServices,
): Promise<{ text?: string }> {
  const ofModel = /(^|\/)models\/[^/]+\/artifacts\//.test(path);
  if (!isModelFile(path) || ofModel || stored.bytes > limits.modelFileBytesMax) return {};
  const content = await blobs.read(stored.digest, limits.modelFileBytesMax);
  return { text: content.toString('utf8') };
}

/** Records a stored blob as the file at a path. */
export async function recordFile(
  path: string,
  stored: StoredBlob,
  { call, services }: { readonly call: Call; readonly services: ProtocolServices },
): Promise<void> {
  const body = { path, ...stored, ...(await modelText(path, stored, services)) };
  await submit(services, putArtifact, body, call);
  await takeSpansOfFile(path, stored, { call, services });
}

/** Stores a stream as the file at a path: durable before the entry that names it. */
export async function storeFile(
  path: string,
  content: Readable,
  within: { readonly call: Call; readonly services: ProtocolServices },
): Promise<void> {
  const stored = await within.services.blobs.put(content, { bytesMax: limits.artifactBytesMax });
  await recordFile(path, stored, within);
}
