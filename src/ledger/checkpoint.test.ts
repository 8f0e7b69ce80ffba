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

test('a signature in another spelling of the same bytes is refused', () => {
  const note = signCheckpoint(head, signer);
  // 68 bytes leave two bits of the character before the padding unused.
  const last = note.trimEnd().length - 2;
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
  const other = alphabet[alphabet.indexOf(note[last] ?? '') ^ 1] ?? '';
  const changed = `${note.slice(0, last)}${other}${note.slice(last + 1)}`;
  const bytesOf = (text: string) => Buffer.from(text.trimEnd().split(' ').at(-1) ?? '', 'base64');
  expect(bytesOf(changed)).toEqual(bytesOf(note));
  expect(() => openCheckpoint(changed, signer.origin, signer.publicKey)).toThrow('not signed');
});

test('a checkpoint of another log is refused', () => {
  const other = createSigner('wherefrom/test', generateSigningKey());
  expect(() =>
    openCheckpoint(signCheckpoint(head, other), signer.origin, signer.publicKey),
  ).toThrow('not signed by this log');
});
