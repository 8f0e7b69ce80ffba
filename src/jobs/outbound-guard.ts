import type { LookupAddress } from 'node:dns';
import { lookup } from 'node:dns/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { WherefromError } from '../base/errors.ts';
import { limits } from '../base/limits.ts';
import { isPublicAddress } from './public-address.ts';

/** A URL that may be called, and the only addresses that may be connected to for it. */
export interface CheckedUrl {
  readonly url: URL;
  readonly addresses: readonly LookupAddress[];
}

/** Decides what this server may call: servers of its own network are no business of who sets a webhook. */
export interface OutboundGuard {
  /**
   * @throws invalid_message with MLflow's text; `detail.unresolved` when the name was not found,
   *   which may pass.
   */
  check(url: string): Promise<CheckedUrl>;
}

export interface GuardOptions {
  /** Host names and addresses that may be called whatever they resolve to, also by http. */
  readonly allow: readonly string[];
  /** Another resolver; the system's when absent. */
  readonly resolve?: ((host: string) => Promise<readonly LookupAddress[]>) | undefined;
}

/**
 * Checks scheme, host and every address that the host resolves to.
 * Source: mlflow/utils/validation.py (_validate_webhook_url).
 */
export function createOutboundGuard(options: GuardOptions): OutboundGuard {
  const allowed = new Set(options.allow.map((host) => bare(host.toLowerCase())));
  const resolve = inTurn(options.resolve ?? ((host) => lookup(host, { all: true })));
  return {
    async check(text) {
      const url = readUrl(text);
      const host = bare(url.hostname);
      const exempt = allowed.has(host);
      const schemes = exempt ? ['https:', 'http:'] : ['https:'];
      if (!schemes.includes(url.protocol)) {
        const given = url.protocol.slice(0, -1);
        throw refused(`Invalid webhook URL scheme: '${given}'. Allowed schemes are: https.`);
      }
      const addresses = await resolveHost(host, resolve);
      const closed = exempt ? undefined : addresses.find((each) => !isPublicAddress(each.address));
      if (closed !== undefined) {
        throw refused(
          `Webhook URL must not resolve to a non-public IP address. '${host}' resolves to ${closed.address}.`,
          {
            hint: 'A server of your own network is called when this one was started with --webhook-allow and its host.',
          },
        );
      }
      return { url, addresses };
    },
  };
}

function refused(message: string, more: { hint?: string; unresolved?: true } = {}): WherefromError {
  const { hint, unresolved } = more;
  return new WherefromError('invalid_message', message, {
    ...(hint === undefined ? {} : { hint }),
    ...(unresolved === undefined ? {} : { detail: { unresolved } }),
  });
}

function readUrl(text: string): URL {
  if (text.trim() === '')
    throw refused(`Webhook URL cannot be empty or just whitespace: '${text}'`);
  if (text.length > limits.webhookUrlCharactersMax)
    throw refused(`Webhook URL has more than ${limits.webhookUrlCharactersMax} characters.`);
  if (!URL.canParse(text)) throw refused(`Invalid webhook URL '${text}'`);
  const url = new URL(text);
  if (url.hostname === '') throw refused(`Webhook URL must include a hostname: '${text}'`);
  if (url.username !== '' || url.password !== '')
    throw refused('Webhook URL must not include embedded credentials.');
  return url;
}

/** An IPv6 address stands in brackets in a URL only. */
function bare(host: string): string {
  return host.replace(/^\[|\]$/g, '').replace(/\.$/, '');
}

async function resolveHost(
  host: string,
  resolve: (host: string) => Promise<readonly LookupAddress[]>,
): Promise<readonly LookupAddress[]> {
  let addresses: readonly LookupAddress[];
  try {
    addresses = await resolve(host);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw refused(`Cannot resolve Webhook URL hostname '${host}': ${why}`, { unresolved: true });
  }
  if (addresses.length > 0) return addresses;
  throw refused(`Cannot resolve Webhook URL hostname '${host}': no address`, { unresolved: true });
}

/** Resolves a few names at a time, each within its limit of time. */
function inTurn(
  resolve: (host: string) => Promise<readonly LookupAddress[]>,
): (host: string) => Promise<readonly LookupAddress[]> {
  const waiting: (() => void)[] = [];
  let running = 0;
  const work = async (host: string): Promise<readonly LookupAddress[]> => {
    if (running >= limits.webhookResolvesMax)
      await new Promise<void>((resume) => waiting.push(resume));
    running += 1;
    try {
      return await resolve(host);
    } finally {
      running -= 1;
      waiting.shift()?.();
    }
  };
  return (host) => {
    const done = new AbortController();
    const late = sleep(limits.webhookResolveTimeoutMs, undefined, { signal: done.signal }).then(
      () => {
        throw new Error(`no answer within ${limits.webhookResolveTimeoutMs} ms`);
      },
    );
    const found = work(host).finally(() => done.abort());
    // Whichever loses the race ends unheard.
    late.catch(() => undefined);
    found.catch(() => undefined);
    return Promise.race([found, late]);
  };
}
