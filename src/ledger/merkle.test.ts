import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sha256 } from '../base/digest.ts';
import { emptyRoot, leafHash, MerkleFrontier, merkleRoot, nodeHash } from './merkle.ts';

/** The definition of RFC 6962 section 2.1, word by word. */
function naiveRoot(leaves: readonly Uint8Array[]): Buffer {
  if (leaves.length === 0) return sha256('');
  if (leaves.length === 1) return leafHash(leaves[0]!);
  let split = 1;
  while (split * 2 < leaves.length) split *= 2;
  return nodeHash(naiveRoot(leaves.slice(0, split)), naiveRoot(leaves.slice(split)));
}

describe('Merkle tree', () => {
  test('the frontier gives the root of RFC 6962 for any leaves', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 8 }), { maxLength: 70 }), (leaves) => {
        expect(merkleRoot(leaves).equals(naiveRoot(leaves))).toBe(true);
      }),
    );
  });

  test('the published root of the empty tree and of known leaves', () => {
    expect(emptyRoot.toString('hex')).toBe(
      'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    );
    // From the test vectors of certificate-transparency: leaves "", 00, 10, 2021, 3031, 40414243, …
    const leaves = [
      '',
      '00',
      '10',
      '2021',
      '3031',
      '40414243',
      '5051525354555657',
      '606162636465666768696a6b6c6d6e6f',
    ];
    expect(merkleRoot(leaves.map((hex) => Buffer.from(hex, 'hex'))).toString('hex')).toBe(
      '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
    );
  });

  test('a frontier taken up again goes on as if it had never stopped', () => {
    const tree = new MerkleFrontier();
    for (let i = 0; i < 11; i += 1) tree.append(leafHash(Buffer.from([i])));
    const again = new MerkleFrontier(tree.size, tree.peaks);
    for (const each of [tree, again]) each.append(leafHash(Buffer.from([99])));
    expect(again.root().equals(tree.root())).toBe(true);
  });

  test('a frontier that does not fit its size is refused', () => {
    expect(() => new MerkleFrontier(3, [Buffer.alloc(32)])).toThrow('does not fit');
  });
});
