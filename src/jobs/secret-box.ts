import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { WherefromError } from '../base/errors.ts';

/** Keeps secrets that the record must hold but nobody may read in it. */
export interface SecretBox {
  /** The secret as it is stored: never the same twice. */
  seal(secret: string): string;
  /** @throws integrity_broken when it was not sealed under this server's secret. */
  open(sealed: string): string;
}

const version = 'v1';
const nonceBytes = 12;
const tagBytes = 16;

/**
 * Seals with AES-256-GCM under a key that is derived from the server's secret.
 * Source: NIST SP 800-38D; RFC 5869 for the key.
 */
export function createSecretBox(serverSecret: Uint8Array): SecretBox {
  const key = Buffer.from(hkdfSync('sha256', serverSecret, '', 'wherefrom webhook secrets', 32));
  return {
    seal(secret) {
      const nonce = randomBytes(nonceBytes);
      const cipher = createCipheriv('aes-256-gcm', key, nonce);
      const content = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()]);
      const bytes = Buffer.concat([nonce, cipher.getAuthTag(), content]);
      return `${version}:${bytes.toString('base64')}`;
    },
    open(sealed) {
      try {
        const bytes = Buffer.from(sealed.slice(version.length + 1), 'base64');
        const nonce = bytes.subarray(0, nonceBytes);
        const decipher = createDecipheriv('aes-256-gcm', key, nonce);
        decipher.setAuthTag(bytes.subarray(nonceBytes, nonceBytes + tagBytes));
        const content = decipher.update(bytes.subarray(nonceBytes + tagBytes));
        return Buffer.concat([content, decipher.final()]).toString('utf8');
      } catch (cause) {
        throw new WherefromError('integrity_broken', 'The secret of a webhook cannot be opened.', {
          hint: 'The data directory lacks the server-secret that it was sealed under: restore it, or set the secret again.',
          cause,
        });
      }
    },
  };
}
