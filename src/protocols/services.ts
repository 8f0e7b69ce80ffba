import type { FastifyInstance, FastifyReply } from 'fastify';
import type { WherefromError } from '../base/errors.ts';
import type { SignedTokens } from '../base/signed-tokens.ts';
import type { Blobs } from '../blobs/blobs.ts';
import type { Uploads } from '../blobs/uploads.ts';
import type { Door, Receipt, StateReader } from '../door/index.ts';
import type { EvaluationSearches } from '../evaluation/index.ts';
import type { WebhookEvent } from '../facts/webhook-facts.ts';
import type { RegistrySearches } from '../registry/index.ts';
import type { TraceSearches } from '../traces/index.ts';
import type { TrackingSearches } from '../tracking/index.ts';

/** Who sent a request; set by the server before any route runs. */
export interface Principal {
  /** Opaque id, as ledger entries name it. */
  readonly id: string;
  readonly role: 'read' | 'write' | 'admin';
  /** Name of the workspace that the request is about: the one it named, else the first of the key. */
  readonly workspace: string;
  /** Workspaces that may be looked into at all. */
  readonly reach: Reach;
}

/** Names of workspaces; an administrator reaches all. */
export type Reach = 'all' | readonly string[];

declare module 'fastify' {
  interface FastifyRequest {
    principal: Principal;
  }
  interface FastifyContextConfig {
    /** Role that a route needs; without it GET and HEAD need `read`, others `write`. */
    access?: 'none' | 'read' | 'write' | 'admin';
  }
}

/** What came of one call of a webhook. */
export interface WebhookTest {
  readonly success: boolean;
  readonly status?: number;
  readonly body?: string;
  readonly error?: string;
}

/** Webhooks, as the routes that manage them need the server. The calls themselves are a job. */
export interface WebhookServices {
  /** @throws invalid_message with why this server does not call the URL. */
  checkUrl(url: string): Promise<void>;
  /** A secret as the record may hold it. */
  seal(secret: string): string;
  /** Calls once with an example. Never throws. */
  test(
    hook: { readonly url: string; readonly secret: string | null },
    told: { readonly event: WebhookEvent; readonly data: string; readonly workspace: string },
  ): Promise<WebhookTest>;
}

/** What URLs are made of that lead back here and carry their own right. */
export interface Links {
  readonly tokens: SignedTokens;
  /** Where clients reach this server, without a slash at its end; empty: as each request says. */
  readonly publicUrl: string;
  /** Path prefix behind a reverse proxy; `''` or `/a/b`. */
  readonly basePath: string;
}

/**
 * Takes spans of traces that came by another way than OpenTelemetry's exporter: as the export message
 * that they would have come in, all of one experiment. Ids are hex digits.
 * @throws invalid_message for spans that OTLP does not allow; not_found for the experiment.
 */
export type SpanIntake = (sent: {
  readonly spans: readonly unknown[];
  readonly experiment: string;
  readonly workspace: string;
  readonly principal: string;
}) => Promise<Receipt | undefined>;

/** Searches that may take long. They find keys: what is shown is read by them. */
export type Searches = TrackingSearches & TraceSearches & RegistrySearches & EvaluationSearches;

/**
 * The whole ref of the one thing that a short ref means in the state, at a time, ms: as the questions
 * read it, but for ends of paths, which would look through all names while others wait to write.
 * @throws not_found with near names; conflict with `candidates`.
 */
export type ResolveShort = (
  state: StateReader,
  text: string,
  about: { readonly workspace: string; readonly time: number },
) => Promise<string>;

/** What every protocol gets from the server. */
export interface ProtocolServices {
  readonly door: Door;
  readonly blobs: Blobs;
  readonly uploads: Uploads;
  readonly links: Links;
  /** Runs queries on one consistent snapshot. */
  read<T>(query: (state: StateReader) => T | Promise<T>): Promise<T>;
  /** Searches that may take long, beside the queries of `read`: never inside of one. */
  readonly searches: Searches;
  /** Puts the persons behind tokens back into text that is sent out. Cheap when it holds none. */
  reveal(text: string): string;
  /** The token of a person's name when one was given, for filters; undefined when it is not known. */
  findToken(value: string): string | undefined;
  readonly webhooks: WebhookServices;
  readonly takeSpans: SpanIntake;
  readonly resolveShort: ResolveShort;
  /** Why nothing, or no artifact, can be written at present; undefined while all is well. */
  trouble(): string | undefined;
  /** Counts refusals and warnings for /metrics. */
  count(event: 'refused' | 'warned', protocol: string): void;
}

/** A protocol folder's manifest: one line in `protocols/index.ts` makes it served. */
export interface Protocol {
  /** As ledger entries name it. */
  readonly id: string;
  readonly title: string;
  /** Versions of the specification that are spoken. */
  readonly versions: readonly string[];
  /**
   * Sends an error that came before a route was found, when the path is one of this protocol's.
   * @returns false when it is not: then our own form is sent.
   */
  readonly refuse?: (path: string, error: WherefromError, reply: FastifyReply) => boolean;
  /** A Fastify plugin's body: routes, parsers, error and not-found handlers of an encapsulated scope. */
  register(app: FastifyInstance, services: ProtocolServices): void;
}

/** Text form of a receipt, as in the header `Wherefrom-Receipt`. */
export function formatReceipt(receipt: Receipt): string {
  return `${receipt.log} ${receipt.position} ${receipt.index}`;
}
