import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto';
import { sha256 } from '../base/digest.ts';
import { WherefromError } from '../base/errors.ts';
import type { LogHead } from './store.ts';

/** Signs checkpoints of one log. The origin names the log. */
export interface Signer {
  readonly origin: string;
  /** Ed25519 public key, 32 bytes. */
  readonly publicKey: Buffer;
  sign(message: Uint8Array): Buffer;
}

/** What a checkpoint says: the log had `size` entries with this root. */
export interface Checkpoint {
  readonly origin: string;
  readonly size: number;
  /** 32 bytes. */
  readonly root: Buffer;
}

/** Makes an Ed25519 key, PEM. */
export function generateSigningKey(): string {
  return generateKeyPairSync('ed25519')
    .privateKey.export({ type: 'pkcs8', format: 'pem' })
    .toString();
}

/** @throws a plain error when the PEM is no Ed25519 private key. */
export function createSigner(origin: string, privateKeyPem: string): Signer {
  const key = createPrivateKey(privateKeyPem);
  return {
    origin,
    publicKey: rawPublicKey(createPublicKey(key)),
    sign: (message) => sign(null, message, key),
  };
}

// The last 32 bytes of an Ed25519 SubjectPublicKeyInfo are the key. Source: RFC 8410 section 4.
const spkiPrefixBytes = 12;

function rawPublicKey(key: KeyObject): Buffer {
  return Buffer.from(key.export({ type: 'spki', format: 'der' }).subarray(spkiPrefixBytes));
}

/** First 4 bytes of SHA-256(origin, newline, algorithm 1, key). Source: C2SP signed-note. */
function keyHash(origin: string, publicKey: Uint8Array): Buffer {
  return sha256(Buffer.concat([Buffer.from(`${origin}\n`), Buffer.from([1]), publicKey])).subarray(
    0,
    4,
  );
}

/** A signed checkpoint as text. Sign only what is committed. Source: C2SP tlog-checkpoint, signed-note. */
export function signCheckpoint(head: LogHead, signer: Signer): string {
  const text = `${signer.origin}\n${head.size}\n${Buffer.from(head.root).toString('base64')}\n`;
  const signature = Buffer.concat([
    keyHash(signer.origin, signer.publicKey),
    signer.sign(Buffer.from(text)),
  ]);
  return `${text}\n— ${signer.origin} ${signature.toString('base64')}\n`;
}

/**
 * Reads a signed checkpoint and checks its signature.
 * @throws malformed_message when it is no checkpoint; integrity_broken when the signature is wrong.
 */
export function openCheckpoint(note: string, origin: string, publicKey: Uint8Array): Checkpoint {
  const match = /^([^\n]+)\n(0|[1-9]\d{0,15})\n([A-Za-z0-9+/]{43}=)\n\n((?:— \S+ \S+\n)+)$/.exec(
    note,
  );
  const [, name, size, root, signatures] = match ?? [];
  if (name === undefined || size === undefined || root === undefined || signatures === undefined) {
    throw new WherefromError('malformed_message', 'The text is not a signed checkpoint.', {
      hint: 'A checkpoint is the log origin, its size, its root and a signature, on lines of their own.',
    });
  }
  const text = `${name}\n${size}\n${root}\n`;
  const spki = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), publicKey]);
  const key = createPublicKey({ key: spki, format: 'der', type: 'spki' });
  const expected = keyHash(origin, publicKey);
  const signed = signatures.split('\n').some((line) => {
    const [dash, signer, encoded] = line.split(' ');
    if (dash !== '—' || signer !== origin || encoded === undefined) return false;
    const bytes = Buffer.from(encoded, 'base64');
    // Base64 has bits to spare at its end: one signature has one spelling.
    return (
      bytes.toString('base64') === encoded &&
      bytes.length === 68 &&
      bytes.subarray(0, 4).equals(expected) &&
      verify(null, Buffer.from(text), key, bytes.subarray(4))
    );
  });
  if (!signed || name !== origin) {
    throw new WherefromError('integrity_broken', 'The checkpoint was not signed by this log.', {
      detail: { origin: name },
    });
  }
  return { origin: name, size: Number(size), root: Buffer.from(root, 'base64') };
}
