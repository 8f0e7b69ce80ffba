import { expect, test } from 'vitest';
import { createSigner, generateSigningKey, openCheckpoint, signCheckpoint } from './checkpoint.ts';

const signer = createSigner('wherefrom/test', generateSigningKey());
const head = { size: 7, root: Buffer.alloc(32, 5), peaks: [], time: 0 };

test('a signed checkpoint opens with the key of its log', () => {
  const note = signCheckpoint(head, signer);
  expect(openCheckpoint(note, signer.origin, signer.publicKey)).toEqual({
    origin: 'wherefrom/test',
    size: 7,
    root: head.root,
  });
});

test('any changed character of a checkpoint is found', () => {
  const note = signCheckpoint(head, signer);
  for (let i = 0; i < note.length; i += 1) {
    const changed = `${note.slice(0, i)}${note[i] === 'A' ? 'B' : 'A'}${note.slice(i + 1)}`;
    expect(
      () => openCheckpoint(changed, signer.origin, signer.publicKey),
      `character ${i}`,
    ).toThrow();
  }
});

test('a checkpoint of another log is refused', () => {
  const other = createSigner('wherefrom/test', generateSigningKey());
  expect(() =>
    openCheckpoint(signCheckpoint(head, other), signer.origin, signer.publicKey),
  ).toThrow('not signed by this log');
});
