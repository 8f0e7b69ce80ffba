import { promisify } from 'node:util';
import { gunzip, inflate, zstdDecompress } from 'node:zlib';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { WherefromError } from '../../base/errors.ts';
import { isObject } from '../../base/json.ts';
import { limits } from '../../base/limits.ts';

/** What a request holds: its records as they were sent, not yet checked. */
export interface SentRecords {
  readonly records: readonly unknown[];
  /** One record that did not come in a list. */
  readonly single: boolean;
  /** The text that they were read from. */
  readonly text: string;
}

const bytesMax = limits.predictionsBodyBytesMax;
type Inflate = (body: Buffer, options: { readonly maxOutputLength: number }) => Promise<Buffer>;
const inflaters: Readonly<Record<string, Inflate>> = {
  gzip: promisify<Buffer, object, Buffer>(gunzip),
  'x-gzip': promisify<Buffer, object, Buffer>(gunzip),
  deflate: promisify<Buffer, object, Buffer>(inflate),
  zstd: promisify<Buffer, object, Buffer>(zstdDecompress),
};

function tooLarge(): WherefromError {
  return new WherefromError('too_large', `The body is larger than ${bytesMax} bytes.`, {
    hint: 'Send fewer records in one request.',
  });
}

async function decompress(encoding: string, body: Buffer): Promise<Buffer> {
  const name = encoding.trim().toLowerCase();
  if (name === '' || name === 'identity') return body;
  const inflater = Object.hasOwn(inflaters, name) ? inflaters[name] : undefined;
  if (inflater === undefined) {
    const message = `The content encoding "${name.slice(0, 40)}" is not spoken here.`;
    const hint = `Send it plain, or with one of ${Object.keys(inflaters).join(', ')}.`;
    throw new WherefromError('unsupported_media', message, { hint });
  }
  try {
    return await inflater(body, { maxOutputLength: bytesMax });
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ERR_BUFFER_TOO_LARGE') {
      throw tooLarge();
    }
    throw new WherefromError('malformed_message', `The body is not valid ${name}.`, { cause });
  }
}

function parse(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.slice(0, 200) : 'unreadable';
    throw new WherefromError('malformed_message', `${where} is not valid JSON: ${reason}`, {
      hint: 'Send one JSON record, a list of them, or one a line as application/x-ndjson.',
      cause,
    });
  }
}

/** A body as it was parsed: one JSON value, or those of its lines. */
interface ParsedBody {
  readonly value: unknown;
  readonly text: string;
}

function readLines(text: string): unknown[] {
  const records: unknown[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() !== '') records.push(parse(line, `Line ${index + 1}`));
  }
  return records;
}

/** The body parsers of this scope: JSON and lines of JSON, plain or compressed. */
export function useRecordBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  const options = { parseAs: 'buffer', bodyLimit: bytesMax } as const;
  const parser =
    (read: (text: string) => unknown) =>
    async (request: FastifyRequest, body: Buffer): Promise<ParsedBody | undefined> => {
      const plain = await decompress(request.headers['content-encoding'] ?? '', body);
      // Windows tools begin files with a byte order mark, which is no JSON: decoding leaves it out.
      const text = new TextDecoder().decode(plain);
      return text.trim() === '' ? undefined : { value: read(text), text };
    };
  app.addContentTypeParser(
    'application/json',
    options,
    parser((text) => parse(text, 'The body')),
  );
  app.addContentTypeParser(
    ['application/x-ndjson', 'application/jsonl', 'application/x-jsonlines', 'application/ndjson'],
    options,
    parser(readLines),
  );
}

/**
 * The records of a request: a list, or the member `name` of an object, or the one that was sent.
 * @throws malformed_message without a body, too_large beyond the limit.
 */
export function recordsOf(
  request: FastifyRequest,
  { name, countMax }: { readonly name: string; readonly countMax: number },
): SentRecords {
  // Every parser of this scope returns a ParsedBody, or undefined for an empty body.
  const body = request.body as ParsedBody | null | undefined;
  if (!body) {
    throw new WherefromError('malformed_message', 'The request has no body.', {
      hint: 'Send one JSON record, a list of them, or one a line as application/x-ndjson.',
    });
  }
  const { value, text } = body;
  const list = isObject(value) && Array.isArray(value[name]) ? value[name] : value;
  if (!Array.isArray(list)) return { records: [list], single: true, text };
  if (list.length > countMax) {
    throw new WherefromError(
      'too_large',
      `The request holds ${list.length} records; at most ${countMax} are taken at once.`,
      { hint: 'Send them in several requests.' },
    );
  }
  return { records: list, single: false, text };
}
