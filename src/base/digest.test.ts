import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { hmacSha256 } from './digest.ts';

test('HMAC-SHA-256 is that of the platform, for any key and message', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 150 }),
      fc.oneof(fc.uint8Array({ maxLength: 300 }), fc.string({ unit: 'grapheme' })),
      (key, data) => {
        expect(hmacSha256(key, data).toString('hex')).toBe(
          createHmac('sha256', key).update(data).digest('hex'),
        );
      },
    ),
    { numRuns: 500 },
  );
});
