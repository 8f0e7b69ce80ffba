import type { Readable } from 'node:stream';

/** What `put` stored. */
export interface StoredBlob {
  /** SHA-256 of the content, 64 hex digits: the blob's only name. */
  readonly digest: string;
  readonly bytes: number;
}

/** A part of a blob, in bytes; both ends belong to it, as in HTTP. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** How a blob is sent by whoever answers a link to it. */
export interface LinkOptions {
  readonly seconds: number;
  /** Content-Disposition and Content-Type of the answer. */
  readonly disposition: string;
  readonly type: string;
}

/** Content-addressed bytes: a directory or an S3-compatible bucket. The same bytes are kept once. */
export interface Blobs {
  /**
   * Stores a stream. When it returns the blob is durable: an entry may name it.
   * @throws too_large beyond `bytesMax`; malformed_message when the stream breaks off;
   *   storage_unavailable when it cannot be written.
   */
  put(content: Readable, options: { readonly bytesMax: number }): Promise<StoredBlob>;
  /** The content, or a range within it, as a stream. @throws not_found; storage_unavailable. */
  get(digest: string, range?: ByteRange): Promise<Readable>;
  /** The whole content. @throws not_found; too_large beyond `bytesMax`; storage_unavailable. */
  read(digest: string, bytesMax: number): Promise<Buffer>;
  has(digest: string): Promise<boolean>;
  /** A URL that reads the blob from the store itself; absent where clients cannot reach the store. */
  readonly link?: (digest: string, options: LinkOptions) => Promise<string>;
}

/** A blob as its store lists it. */
export interface ListedBlob extends StoredBlob {
  /** When these bytes were first put, ms since 1970; putting them again leaves it. */
  readonly storedTime: number;
}

/** Blobs with what only their owner does: protocols neither list nor remove. */
export interface BlobStore extends Blobs {
  /** Every blob, in no order; what else lies there is passed over. @throws storage_unavailable. */
  list(): AsyncIterable<ListedBlob>;
  /** Writes and removes something that is no blob. @throws storage_unavailable saying what was refused. */
  check(signal?: AbortSignal): Promise<void>;
  /** Removes a blob for good; one that is not there is removed already. @throws storage_unavailable. */
  remove(digest: string): Promise<void>;
}
