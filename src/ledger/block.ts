import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { WherefromError } from '../base/errors.ts';

const plain = 0;
const zstd = 1;
/** Below this, compression costs more than it saves. */
const compressBytesMin = 512;
/** A damaged frame must not make the reader allocate without end. */
const blockBytesMax = 1024 * 1024 * 1024;

/** The messages of one entry as one stored block: a format byte, then each length (4 bytes) and text. */
export function encodeBlock(messages: readonly string[]): Buffer {
  const parts: Buffer[] = [];
  for (const message of messages) {
    const bytes = Buffer.from(message, 'utf8');
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    parts.push(length, bytes);
  }
  const body = Buffer.concat(parts);
  if (body.length < compressBytesMin) return Buffer.concat([Buffer.from([plain]), body]);
  const packed = zstdCompressSync(body, { params: { [constants.ZSTD_c_compressionLevel]: 3 } });
  return packed.length < body.length
    ? Buffer.concat([Buffer.from([zstd]), packed])
    : Buffer.concat([Buffer.from([plain]), body]);
}

/** Reads a block. @throws integrity_broken when it is not one. */
export function decodeBlock(block: Uint8Array, position: number): string[] {
  try {
    const rest = Buffer.from(block.buffer, block.byteOffset + 1, block.byteLength - 1);
    const body =
      block[0] === zstd ? zstdDecompressSync(rest, { maxOutputLength: blockBytesMax }) : rest;
    if (block[0] !== zstd && block[0] !== plain) throw new Error('unknown format');
    const messages: string[] = [];
    for (let offset = 0; offset < body.length; ) {
      const length = body.readUInt32BE(offset);
      if (offset + 4 + length > body.length) throw new Error('cut off');
      messages.push(body.toString('utf8', offset + 4, offset + 4 + length));
      offset += 4 + length;
    }
    return messages;
  } catch (cause) {
    throw new WherefromError(
      'integrity_broken',
      `The payload of ledger entry ${position} is damaged.`,
      {
        hint: 'Restore the data directory from a backup, or ask who changed it.',
        detail: { position },
        cause,
      },
    );
  }
}
