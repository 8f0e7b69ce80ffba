import { createHash } from 'node:crypto';
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Clock } from '../base/clock.ts';
import { hmacSha256 } from '../base/digest.ts';
import { limits } from '../base/limits.ts';
import type { WebhookEvent } from '../facts/webhook-facts.ts';
import type { CheckedUrl } from './outbound-guard.ts';

/** What a receiver answered. */
export interface CallAnswer {
  readonly status: number;
  /** Its beginning, as text. */
  readonly body: string;
  /** Seconds or an HTTP date, as it was sent. */
  readonly retryAfter: string | undefined;
}

/** One call, ready to be made; the same for every attempt. */
export interface WebhookCall {
  /** A UUID: receivers recognise a call that comes again by it. */
  readonly id: string;
  /** JSON. */
  readonly body: string;
  /** In clear; undefined when the call is not signed. */
  readonly secret: string | undefined;
}

/** What a call tells. */
export interface Told {
  readonly event: WebhookEvent;
  /** JSON of what the event tells. */
  readonly data: string;
  readonly workspace: string;
  /** When it happened, ms since 1970. */
  readonly time: number;
}

/** The body of a call. Source: mlflow/webhooks/delivery.py (_send_webhook_request). */
export function writeBody({ event, data, workspace, time }: Told): string {
  const [entity, action] = event.split('.');
  const timestamp = new Date(time).toISOString().replace('Z', '+00:00');
  const about = JSON.stringify({ entity, action, timestamp });
  return `${about.slice(0, -1)},"data":${data},"workspace":${JSON.stringify(workspace)}}`;
}

/** A UUID made of a text: the same text gives the same one. Source: RFC 9562 section 5.8. */
export function uuidOf(text: string): string {
  const bytes = createHash('sha256').update(text).digest().subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/**
 * The headers of an attempt. The timestamp is that of the attempt: receivers refuse old ones.
 * Source: mlflow/webhooks/delivery.py (_generate_hmac_signature), mlflow/webhooks/constants.py.
 */
function headersOf({ id, body, secret }: WebhookCall, nowMs: number): Record<string, string> {
  const timestamp = String(Math.floor(nowMs / 1_000));
  const headers = {
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(body)),
    'user-agent': 'wherefrom-webhook',
    'x-mlflow-delivery-id': id,
    'x-mlflow-timestamp': timestamp,
  };
  if (secret === undefined) return headers;
  const signature = hmacSha256(Buffer.from(secret), `${id}.${timestamp}.${body}`);
  return { ...headers, 'x-mlflow-signature': `v1,${signature.toString('base64')}` };
}

/**
 * Posts once, to the addresses that were checked and no others; redirects are not followed.
 * @throws what the network threw; an AbortError when the signal fired or the time was over.
 */
export function post(
  { url, addresses }: CheckedUrl,
  call: WebhookCall,
  { clock, signal }: { readonly clock: Clock; readonly signal?: AbortSignal },
): Promise<CallAnswer> {
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const request: ClientRequest = send(url, {
      method: 'POST',
      headers: headersOf(call, clock.now()),
      agent: false,
      signal: AbortSignal.any([
        AbortSignal.timeout(limits.webhookTimeoutMs),
        ...(signal === undefined ? [] : [signal]),
      ]),
      // The name is not resolved again: what it says now could be another address.
      lookup: (_host, options, answer) => {
        const [first] = addresses;
        if (options.all) answer(null, [...addresses]);
        else answer(null, first?.address ?? '', first?.family);
      },
    });
    request.on('error', reject);
    request.on('response', (response) => {
      readAnswer(response).then(resolve, reject);
    });
    request.end(call.body);
  });
}

async function readAnswer(response: IncomingMessage): Promise<CallAnswer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    bytes += chunk.length;
    // Leaving the loop ends the connection: nobody needs the rest.
    if (bytes >= limits.webhookAnswerBytesMax) break;
  }
  const body = Buffer.concat(chunks).subarray(0, limits.webhookAnswerBytesMax).toString('utf8');
  return {
    status: response.statusCode ?? 0,
    body,
    retryAfter: response.headers['retry-after'],
  };
}
