import type { IncomingHttpHeaders } from 'node:http';
import { promisify } from 'node:util';
import { gunzip, inflate, inflateRaw } from 'node:zlib';
import { WherefromError } from '../../base/errors.ts';
import { limits } from '../../base/limits.ts';

/** Nesting of a message. Real events reach about 20; what walks them recursively must not overflow. */
const nestingMax = 500;

const unzip = promisify(gunzip);
const unwrap = promisify(inflate);
const unwrapRaw = promisify(inflateRaw);

/**
 * The text of a request body: inflated when it came as gzip or deflate, decoded by its charset.
 * @throws too_large when it inflates above `limits.openLineageBodyBytesMax`; unsupported_media for
 *   another encoding, media type or charset; malformed_message when the bytes are not what they say.
 */
export async function readText(body: unknown, headers: IncomingHttpHeaders): Promise<string> {
  if (!(body instanceof Uint8Array) || body.byteLength === 0) {
    throw new WherefromError('malformed_message', 'The request has no body.', {
      hint: 'Send an OpenLineage event as application/json.',
    });
  }
  const charset = readCharset(headers['content-type']);
  let bytes: Uint8Array = body;
  const encodings = (headers['content-encoding'] ?? '')
    .toLowerCase()
    .split(',')
    .map((part) => part.trim());
  for (const encoding of encodings.reverse().slice(0, 2)) bytes = await inflated(bytes, encoding);
  try {
    return new TextDecoder(charset, { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new WherefromError('malformed_message', `The body is not valid ${charset}.`, { cause });
  }
}

const jsonTypes =
  /^(?:application|text)\/(?:[\w.+-]*\+)?(?:x-)?(?:json|ndjson|jsonl|json-lines|jsonlines)$/;

/** Charset of a JSON media type; UTF-8 when none is given, as RFC 8259 has it. */
function readCharset(contentType: string | undefined): string {
  const [type = '', ...parameters] = (contentType ?? 'application/json').toLowerCase().split(';');
  if (!jsonTypes.test(type.trim())) {
    throw new WherefromError(
      'unsupported_media',
      `${type.trim().slice(0, 100)} is not spoken here.`,
      {
        hint: 'Send application/json.',
      },
    );
  }
  const named = parameters
    .map((part) => /^\s*charset\s*=\s*"?([^"\s]+)"?\s*$/.exec(part)?.[1])
    .find((part) => part);
  const charset = named ?? 'utf-8';
  try {
    return new TextDecoder(charset).encoding;
  } catch (cause) {
    throw new WherefromError(
      'unsupported_media',
      `The charset ${charset.slice(0, 50)} is not known.`,
      {
        hint: 'Send UTF-8.',
        cause,
      },
    );
  }
}

async function inflated(bytes: Uint8Array, encoding: string): Promise<Uint8Array> {
  const options = { maxOutputLength: limits.openLineageBodyBytesMax };
  try {
    switch (encoding) {
      case '':
      case 'identity':
        return bytes;
      case 'gzip':
      case 'x-gzip':
        return await unzip(bytes, options);
      case 'deflate':
        return await undeflated(bytes, options);
      default:
        throw new WherefromError(
          'unsupported_media',
          `The encoding ${encoding.slice(0, 50)} is not spoken here.`,
          {
            hint: 'Send gzip, deflate or no Content-Encoding.',
          },
        );
    }
  } catch (cause) {
    if (cause instanceof WherefromError) throw cause;
    if (cause instanceof RangeError && 'code' in cause && cause.code === 'ERR_BUFFER_TOO_LARGE')
      throw tooLarge(cause);
    throw new WherefromError('malformed_message', `The body is not valid ${encoding}.`, { cause });
  }
}

/** "deflate" means the zlib format, yet clients also send the bare stream. Source: RFC 9110 section 8.4.1.2. */
async function undeflated(
  bytes: Uint8Array,
  options: { readonly maxOutputLength: number },
): Promise<Uint8Array> {
  try {
    return await unwrap(bytes, options);
  } catch (error) {
    if (error instanceof RangeError) throw error;
    return unwrapRaw(bytes, options);
  }
}

/** The refusal of a body above the limit, inflated or not. */
export function tooLarge(cause?: unknown): WherefromError {
  return new WherefromError(
    'too_large',
    `The body is larger than ${limits.openLineageBodyBytesMax} bytes (inflated).`,
    {
      hint: 'Turn large facets off, for example spark.logicalPlan, or send smaller batches.',
      cause,
    },
  );
}

/** Reads JSON. @throws malformed_message when it is none, or nested deeper than the server walks. */
export function parseJson(text: string): unknown {
  if (nestsDeeper(text, nestingMax)) {
    throw new WherefromError(
      'malformed_message',
      `The body nests deeper than ${nestingMax} levels.`,
      {
        hint: 'Turn the facet off that does, for example spark.logicalPlan.',
      },
    );
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    const reason = cause instanceof Error ? withoutContent(cause.message) : 'it does not parse';
    throw new WherefromError('malformed_message', `The body is not JSON: ${reason}.`, {
      hint: 'Send one OpenLineage event as a JSON object.',
      cause,
    });
  }
}

/** V8 quotes the message in its errors, which may hold data. */
function withoutContent(message: string): string {
  const position = /at position \d+/.exec(message)?.[0];
  return position === undefined
    ? 'it ends too early or is not JSON at all'
    : `unexpected text ${position}`;
}

/** Codes of `"` and `\\`; those of brackets are 91 and 93, of braces 123 and 125. */
const QUOTE = 34;
const BACKSLASH = 92;

function nestsDeeper(text: string, max: number): boolean {
  // A text that opens fewer brackets than the limit cannot nest deeper; most do not need the walk.
  if (text.length <= max) return false;
  let depth = 0;
  let inString = false;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (inString) {
      if (code === BACKSLASH) index += 1;
      else if (code === QUOTE) inString = false;
    } else if (code === QUOTE) inString = true;
    else if (code === 91 || code === 123) {
      depth += 1;
      if (depth > max) return true;
    } else if (code === 93 || code === 125) depth -= 1;
  }
  return false;
}
