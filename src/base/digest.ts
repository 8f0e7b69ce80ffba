import { hash } from 'node:crypto';

/** SHA-256 of the bytes or UTF-8 text, 32 bytes. */
export function sha256(data: Uint8Array | string): Buffer {
  return hash('sha256', data, 'buffer');
}

/** SHA-256 of the bytes or UTF-8 text, 64 hex digits. */
export function sha256Hex(data: Uint8Array | string): string {
  return hash('sha256', data, 'hex');
}

const blockBytes = 64;

/**
 * HMAC-SHA-256, 32 bytes. Two of these stand behind every message: the one-shot hash of the platform
 * makes them several times cheaper than its Hmac objects, which set up a key each time.
 * Source: RFC 2104 section 2.
 */
export function hmacSha256(key: Uint8Array, data: Uint8Array | string): Buffer {
  const short = key.length > blockBytes ? sha256(key) : key;
  const message = typeof data === 'string' ? Buffer.from(data, 'utf8') : data;
  const inner = Buffer.alloc(blockBytes + message.length, 0x36);
  const outer = Buffer.alloc(blockBytes + 32, 0x5c);
  for (let i = 0; i < short.length; i += 1) {
    const byte = short[i] as number; // in range
    inner[i] = byte ^ 0x36;
    outer[i] = byte ^ 0x5c;
  }
  inner.set(message, blockBytes);
  outer.set(sha256(inner), blockBytes);
  return sha256(outer);
}
