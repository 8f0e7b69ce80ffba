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

/** HMAC-SHA-256 with one key for many messages. */
export type Hmac = (data: Uint8Array | string) => Buffer;

/**
 * HMAC-SHA-256, 32 bytes. Two of these stand behind every message: the one-shot hash of the platform
 * makes them several times cheaper than its Hmac objects, which set up a key each time.
 * Source: RFC 2104 section 2.
 */
export function hmacSha256(key: Uint8Array, data: Uint8Array | string): Buffer {
  return hmacWith(key)(data);
}

/** The function for one key. Source: RFC 2104 section 2. */
export function hmacWith(key: Uint8Array): Hmac {
  const short = key.length > blockBytes ? sha256(key) : key;
  const innerPad = Buffer.allocUnsafe(blockBytes).fill(0x36);
  const outer = Buffer.allocUnsafe(blockBytes + 32).fill(0x5c);
  for (let i = 0; i < short.length; i += 1) {
    const byte = short[i] as number; // in range
    innerPad[i] = byte ^ 0x36;
    outer[i] = byte ^ 0x5c;
  }
  return (data) => {
    const length = typeof data === 'string' ? Buffer.byteLength(data, 'utf8') : data.length;
    const inner = Buffer.allocUnsafe(blockBytes + length);
    inner.set(innerPad);
    if (typeof data === 'string') inner.write(data, blockBytes, 'utf8');
    else inner.set(data, blockBytes);
    outer.set(sha256(inner), blockBytes);
    return sha256(outer);
  };
}
