import { expect, test } from 'vitest';
import { createSignedTokens } from './signed-tokens.ts';

let now = 1_000_000;
const clock = { now: () => now, random: (count: number) => Buffer.alloc(count) };
const tokens = createSignedTokens({ secret: Buffer.alloc(32, 1), clock });
const others = createSignedTokens({ secret: Buffer.alloc(32, 2), clock });
const refusal = expect.objectContaining({ code: 'forbidden' });

test('a grant comes back as it was signed, until it ends', () => {
  const token = tokens.sign({ part: { upload: 'u', number: 3 } }, 10);
  expect(token).toMatch(/^[\w-]+\.[\w-]+$/);
  expect(tokens.read(token)).toEqual({ part: { upload: 'u', number: 3 } });
  now += 10_000;
  expect(tokens.read(token)).toBeDefined();
  now += 1;
  expect(() => tokens.read(token)).toThrow(refusal);
});

test('a grant that was changed, is of another server or is none is refused', () => {
  const token = tokens.sign({ number: 1 }, 10);
  const [text = '', mac = ''] = token.split('.');
  const forged = Buffer.from(
    Buffer.from(text, 'base64url').toString().replace('"number":1', '"number":2'),
  ).toString('base64url');
  for (const wrong of [`${forged}.${mac}`, `${text}.`, text, '', '.', 'a.b', `${text}.${mac}x1`])
    expect(() => tokens.read(wrong)).toThrow(refusal);
  expect(() => others.read(token)).toThrow(refusal);
});
