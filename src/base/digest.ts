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

/** What is hashed is put together here: each hash is made at once, so one room serves all. */
let inner: Buffer = Buffer.allocUnsafeSlow(16 * 1024);
const outer = Buffer.allocUnsafeSlow(blockBytes + 32);
/** Longer messages get room of their own. */
const sharedBytesMax = 1024 * 1024;

/** The function for one key. Source: RFC 2104 section 2. */
export function hmacWith(key: Uint8Array): Hmac {
  const short = key.length > blockBytes ? sha256(key) : key;
  const innerPad = Buffer.allocUnsafe(blockBytes).fill(0x36);
  const outerPad = Buffer.allocUnsafe(blockBytes).fill(0x5c);
  for (let i = 0; i < short.length; i += 1) {
    const byte = short[i] as number; // in range
    innerPad[i] = byte ^ 0x36;
    outerPad[i] = byte ^ 0x5c;
  }
  return (data) => {
    // A character is at most three bytes.
    const room = roomFor(blockBytes + data.length * (typeof data === 'string' ? 3 : 1));
    room.set(innerPad);
    let end = blockBytes + data.length;
    if (typeof data === 'string') end = blockBytes + room.write(data, blockBytes, 'utf8');
    else room.set(data, blockBytes);
    outer.set(outerPad);
    outer.set(sha256(room.subarray(0, end)), blockBytes);
    return sha256(outer);
  };
}

function roomFor(bytes: number): Buffer {
  if (bytes <= inner.length) return inner;
  const room = Buffer.allocUnsafeSlow(bytes);
  if (bytes <= sharedBytesMax) inner = room;
  return room;
}
