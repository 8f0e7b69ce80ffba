import type { Readable } from 'node:stream';

/** What `put` stored. */
export interface StoredBlob {
  /** SHA-256 of the content, 64 hex digits: the blob's only name. */
  readonly digest: string;
  readonly bytes: number;
}

/** Content-addressed bytes: a directory, or later an object store. The same bytes are kept once. */
export interface Blobs {
  /**
   * Stores a stream. When it returns the blob is durable: an entry may name it.
   * @throws too_large beyond `bytesMax`; storage_unavailable when it cannot be written.
   */
  put(content: Readable, options: { readonly bytesMax: number }): Promise<StoredBlob>;
  /** The content as a stream. @throws not_found. */
  get(digest: string): Promise<Readable>;
  /** The whole content. @throws not_found; too_large beyond `bytesMax`. */
  read(digest: string, bytesMax: number): Promise<Buffer>;
  has(digest: string): Promise<boolean>;
}
