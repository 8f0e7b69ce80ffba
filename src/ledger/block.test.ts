import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeBlock, encodeBlock } from './block.ts';

test('messages come out of a block as they went in', () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: 'grapheme', maxLength: 400 }), { maxLength: 40 }),
      (messages) => {
        expect(decodeBlock(encodeBlock(messages), 0)).toEqual(messages);
      },
    ),
  );
});

test('a cut off or unknown block is damage, said with its position', () => {
  const block = encodeBlock(['one', 'two']);
  expect(() => decodeBlock(block.subarray(0, -1), 12)).toThrow('ledger entry 12 is damaged');
  expect(() => decodeBlock(Buffer.from([9, 0]), 3)).toThrow('ledger entry 3 is damaged');
});

test('many alike messages are kept compressed', () => {
  const messages = Array.from({ length: 100 }, (_, i) => `{"key":"loss","value":${i}}`);
  expect(encodeBlock(messages).length).toBeLessThan(messages.join('').length / 2);
});
