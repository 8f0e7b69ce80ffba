/** Reads the server that this page came from, wherever it is mounted. */

/** The address of the server without a trailing slash: what tools are pointed at. */
export function serverAddress(): string {
  return new URL('.', document.baseURI).href.replace(/\/$/, '');
}

/** What the page says when an answer did not come or was a refusal. */
export interface Problem {
  readonly title: string;
  /** What happened, to what: says more than the title. */
  readonly detail?: string | undefined;
  /** What to do next. */
  readonly hint?: string | undefined;
  /** What a short ref can mean, when it is more than one thing, or what is called nearly so. */
  readonly candidates?: readonly Candidate[];
}

/** A thing that can be asked about. */
export interface Candidate {
  readonly ref: string;
  readonly why: string;
}

export type Answer = { readonly body: unknown } | { readonly problem: Problem };

/**
 * Fetches JSON from `path`, relative to the page.
 * Never throws for what a server or a network may do: refusals become a problem.
 * Source: RFC 9457 for the bodies of refusals.
 */
export async function fetchJson(path: string, signal?: AbortSignal): Promise<Answer> {
  let response: Response;
  try {
    const headers = { accept: 'application/json' };
    response = await fetch(path, signal === undefined ? { headers } : { headers, signal });
  } catch {
    return { problem: { title: 'The server does not answer', detail: 'Is it still running?' } };
  }
  const body: unknown = await response.json().catch(() => undefined);
  if (response.ok && body !== undefined) return { body };
  const title = readText(body, 'title') ?? `The server answered with status ${response.status}`;
  const candidates = [...readList(body, 'candidates'), ...readList(body, 'near')].flatMap((one) => {
    const ref = readText(one, 'ref');
    return ref === undefined ? [] : [{ ref, why: readText(one, 'why') ?? '' }];
  });
  const problem = { title, detail: readText(body, 'detail'), hint: readText(body, 'hint') };
  return { problem: { ...problem, candidates } };
}

/** The text at `key` of an unknown value, when there is one. */
export function readText(value: unknown, key: string): string | undefined {
  const found = readKey(value, key);
  return typeof found === 'string' && found !== '' ? found : undefined;
}

/** The number at `key` of an unknown value, when there is one. */
export function readNumber(value: unknown, key: string): number | undefined {
  const found = readKey(value, key);
  return typeof found === 'number' && Number.isFinite(found) ? found : undefined;
}

/** The list at `key` of an unknown value; empty when there is none. */
export function readList(value: unknown, key: string): readonly unknown[] {
  const found = readKey(value, key);
  return Array.isArray(found) ? found : [];
}

/** Whatever is at `key` of an unknown value. */
export function readKey(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return (value as Readonly<Record<string, unknown>>)[key]; // an object: any key may be asked for
}
