import { promisify } from 'node:util';
import { gunzip, inflate, inflateRaw } from 'node:zlib';
import type { WherefromError } from '../../base/errors.ts';
import { limits } from '../../base/limits.ts';
import { decodeRequest } from './descriptor.ts';
import { detailError, type Encoding } from './errors.ts';

type Inflate = (body: Buffer, options: { readonly maxOutputLength: number }) => Promise<Buffer>;
const ungzip: Inflate = promisify<Buffer, object, Buffer>(gunzip);
const unzlib: Inflate = promisify<Buffer, object, Buffer>(inflate);
const unraw: Inflate = promisify<Buffer, object, Buffer>(inflateRaw);
const options = { maxOutputLength: limits.otlpBodyBytesMax } as const;

/** How the body of a request is encoded, by its media type; undefined for any other. */
export function encodingOf(contentType: string | undefined): Encoding | undefined {
  const media = contentType?.split(';', 1)[0]?.trim().toLowerCase();
  if (media === 'application/x-protobuf' || media === 'application/protobuf') return 'protobuf';
  return media === 'application/json' ? 'json' : undefined;
}

/** The refusal of a body that is beyond the limit, plain or inflated. */
export function tooLarge(): WherefromError {
  return detailError(413, `The body is larger than ${limits.otlpBodyBytesMax} bytes.`);
}

function isTooLarge(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && cause.code === 'ERR_BUFFER_TOO_LARGE';
}

/** Some clients send deflate without the header of zlib. */
async function undeflate(body: Buffer): Promise<Buffer> {
  try {
    return await unzlib(body, options);
  } catch (cause) {
    if (isTooLarge(cause)) throw cause;
    return unraw(body, options);
  }
}

/** The body as it was before it was compressed. @throws in the words of MLflow's route. */
export async function decompress(encoding: string | undefined, body: Buffer): Promise<Buffer> {
  const name = (encoding ?? '').trim().toLowerCase();
  if (name === '' || name === 'identity') return body;
  if (name !== 'gzip' && name !== 'deflate') {
    throw detailError(400, `Unsupported Content-Encoding: ${name.slice(0, 40)}`);
  }
  try {
    return name === 'gzip' ? await ungzip(body, options) : await undeflate(body);
  } catch (cause) {
    if (isTooLarge(cause)) throw tooLarge();
    throw detailError(400, `Failed to decompress ${name} payload`);
  }
}

/** The message in a body, as plain objects. @throws malformed_message when there is none. */
export function parseBody(encoding: Encoding, body: Buffer): unknown {
  try {
    return encoding === 'json' ? JSON.parse(body.toString('utf8')) : decodeRequest(body);
  } catch {
    throw detailError(400, 'Invalid OpenTelemetry format');
  }
}
