import type { Awaitable } from '../base/awaitable.ts';
import { hmacSha256 } from '../base/digest.ts';
import { WherefromError } from '../base/errors.ts';

/**
 * Where persons are kept: names, accounts, home directories. The record holds only random tokens, so
 * that forgetting a person leaves lineage and proofs whole. Source: DESIGN.md section 9.
 */
export interface VaultStore {
  /** `lookup` is an HMAC of the value under the server's secret, never a plain hash. */
  findToken(lookup: Uint8Array): Awaitable<string | undefined>;
  findValue(token: string): Awaitable<string | undefined>;
  /** A token found before by the writer: saves the HMAC of the look-up. Forgotten on rollback. */
  cachedToken(value: string): string | undefined;
  cacheToken(value: string, token: string): void;
  putPerson(token: string, lookup: Uint8Array, value: string): Awaitable<void>;
}

const tokenPrefix = 'person_';
const tokenPattern = /person_[0-9a-z]{26}/g;
const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';

/** 26 base-32 characters: 130 random bits. */
function makeToken(random: Uint8Array): string {
  let token = tokenPrefix;
  for (const byte of random.subarray(0, 26)) token += alphabet[byte % 32];
  return token;
}

/** The key by which a person's value is found again. */
export function personLookup(secret: Uint8Array, value: string): Buffer {
  return hmacSha256(secret, value);
}

/** Persons whom the vault does not know yet, by the tokens that were drawn for them. */
export type NewPersons = Map<string, { readonly lookup: Uint8Array; readonly value: string }>;

/**
 * Finds the tokens of the persons of one message. Those of `persons` are drawn: they come into the
 * vault by `keepNamed` only, when a payload that names them is accepted.
 */
export async function tokenise(
  values: ReadonlySet<string>,
  vault: VaultStore,
  options: { readonly secret: Uint8Array; random(count: number): Buffer },
): Promise<{ readonly tokens: Map<string, string>; readonly persons: NewPersons }> {
  const tokens = new Map<string, string>();
  const persons: NewPersons = new Map();
  for (const value of values) {
    let token = vault.cachedToken(value);
    if (token === undefined) {
      const lookup = personLookup(options.secret, value);
      token = await vault.findToken(lookup);
      if (token !== undefined) vault.cacheToken(value, token);
      else {
        token = makeToken(options.random(26));
        persons.set(token, { lookup, value });
      }
    }
    tokens.set(value, token);
  }
  return { tokens, persons };
}

/** Puts the new persons whom an accepted payload names into the vault, and takes them from `persons`. */
export async function keepNamed(
  payload: string,
  persons: NewPersons,
  vault: VaultStore,
): Promise<void> {
  for (const token of payload.match(tokenPattern) ?? []) {
    const person = persons.get(token);
    if (person === undefined) continue;
    persons.delete(token);
    await vault.putPerson(token, person.lookup, person.value);
    vault.cacheToken(person.value, token);
  }
}

/** An answer with new persons in clear: nobody could look their tokens up. The same when it names none. */
export function nameNewPersons<T>(answer: T, persons: NewPersons): T {
  if (persons.size === 0 || !holdsToken(answer)) return answer;
  const reveal = (text: string): string =>
    text.replace(tokenPattern, (token) => persons.get(token)?.value ?? token);
  // The same shape: only texts change.
  return mapStrings(answer, reveal) as T;
}

function holdsToken(value: unknown): boolean {
  if (typeof value === 'string') return value.includes(tokenPrefix);
  return typeof value === 'object' && value !== null && Object.values(value).some(holdsToken);
}

/** A refusal with new persons in clear. */
export function refuseByName(refusal: WherefromError, persons: NewPersons): WherefromError {
  if (persons.size === 0) return refusal;
  const { code, cause } = refusal;
  const { message, hint, detail } = nameNewPersons(
    { message: refusal.message, hint: refusal.hint, detail: refusal.detail },
    persons,
  );
  return new WherefromError(code, message, { ...(hint && { hint }), detail, cause });
}

export function isToken(value: string): boolean {
  return value.startsWith(tokenPrefix) && value.length === tokenPrefix.length + 26;
}

/** Puts persons back into JSON text. A token that was erased stays a token. */
export function revealTokens(
  json: string,
  findValue: (token: string) => string | undefined,
): string {
  if (!json.includes(tokenPrefix)) return json;
  return json.replace(tokenPattern, (token) => {
    const value = findValue(token);
    return value === undefined ? token : JSON.stringify(value).slice(1, -1);
  });
}

/** An agent by its ref, as answers write it: with the person in place of the token. */
const agentPattern = /^(agent:[^/]*\/(?:user:)?)(.+)$/s;

/**
 * Replaces the person in the ref of an agent by `replace(person)`; other texts stay. The person may
 * be percent-encoded, or stand as answers show it. OpenLineage's `user:` is no part of the person.
 */
export function replaceAgent(text: string, replace: (person: string) => string): string {
  const [, before = '', written = ''] = agentPattern.exec(text) ?? [];
  if (written === '' || isToken(written)) return text;
  const person = decoded(written);
  const token = replace(person);
  return token === person ? text : before + token;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a name that has a % of its own
  }
}

/** The user's directory in a path of Linux, macOS or Windows. */
const homePattern =
  /((?:^|[^\w/]|file:\/\/)(?:\/home\/|\/Users\/|[A-Za-z]:\\Users\\))([^/\\"'\s:;,]+)/g;
const homeHint = /\/home\/|\/Users\/|\\Users\\/;

/** True when the text may hold a home directory: a cheap test before walking the message. */
export function mayHoldHome(text: string): boolean {
  return homeHint.test(text);
}

/** The same value with every string changed by `change`; untouched parts are shared. */
export function mapStrings(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === 'string') return change(value);
  if (Array.isArray(value)) return value.map((item) => mapStrings(item, change));
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, mapStrings(item, change)]),
    );
  }
  return value;
}

/** Replaces the user in home directories of a text by `replace(user)`. */
export function replaceHomes(text: string, replace: (user: string) => string): string {
  return homeHint.test(text)
    ? text.replace(
        homePattern,
        (_, before: string, user: string) => before + (isToken(user) ? user : replace(user)),
      )
    : text;
}
