import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Clock } from './clock.ts';
import { WherefromError } from './errors.ts';
import { isObject, type JsonObject } from './json.ts';

/** Grants that go out in a URL and come back: who has the token has the grant, until it ends. */
export interface SignedTokens {
  /** @param seconds how long it is good. */
  sign(grant: JsonObject, seconds: number): string;
  /** @throws forbidden when it was not signed here, was changed or has ended. */
  read(token: string): Readonly<Record<string, unknown>>;
}

/** Tokens `grant.mac` under a key that is derived from a secret: HMAC-SHA-256, both base64url. */
export function createSignedTokens(options: {
  readonly secret: Buffer;
  readonly clock: Clock;
}): SignedTokens {
  const key = createHmac('sha256', options.secret).update('wherefrom signed tokens v1').digest();
  const macOf = (text: string): Buffer => createHmac('sha256', key).update(text).digest();
  return {
    sign(grant, seconds) {
      const ends = options.clock.now() + seconds * 1_000;
      const text = Buffer.from(JSON.stringify({ grant, ends })).toString('base64url');
      return `${text}.${macOf(text).toString('base64url')}`;
    },
    read(token) {
      const [text = '', mac = ''] = token.split('.');
      const given = Buffer.from(mac, 'base64url');
      const expected = macOf(text);
      if (given.length !== expected.length || !timingSafeEqual(given, expected)) throw refused();
      const value: unknown = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
      if (!isObject(value) || !isObject(value.grant)) throw refused();
      if (typeof value.ends !== 'number' || value.ends < options.clock.now()) throw refused();
      return value.grant;
    },
  };
}

const refused = (): WherefromError =>
  new WherefromError('forbidden', 'This link is not valid, or no longer.', {
    hint: 'Ask the server for a new one.',
  });
