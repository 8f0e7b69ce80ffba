import type { FastifyInstance } from 'fastify';
import type { Blobs } from '../blobs/blobs.ts';
import type { Door, Receipt, StateReader } from '../door/index.ts';
import type { TrackingSearches } from '../tracking/index.ts';

/** Who sent a request; set by the server before any route runs. */
export interface Principal {
  /** Opaque id, as ledger entries name it. */
  readonly id: string;
  readonly role: 'read' | 'write' | 'admin';
  /** Name of the workspace. */
  readonly workspace: string;
}

declare module 'fastify' {
  interface FastifyRequest {
    principal: Principal;
  }
  interface FastifyContextConfig {
    /** Role that a route needs; without it GET and HEAD need `read`, others `write`. */
    access?: 'none' | 'read' | 'write' | 'admin';
  }
}

/** What every protocol gets from the server. */
export interface ProtocolServices {
  readonly door: Door;
  readonly blobs: Blobs;
  /** Runs queries on one consistent snapshot. */
  read<T>(query: (state: StateReader) => T | Promise<T>): Promise<T>;
  /** Searches that may take long, beside the queries of `read`: never inside of one. */
  readonly searches: TrackingSearches;
  /** Puts the persons behind tokens back into text that is sent out. Cheap when it holds none. */
  reveal(text: string): string;
  /** The token of a person's name when one was given, for filters; undefined when it is not known. */
  findToken(value: string): string | undefined;
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
  /** A Fastify plugin's body: routes, parsers, error and not-found handlers of an encapsulated scope. */
  register(app: FastifyInstance, services: ProtocolServices): void;
}

/** Text form of a receipt, as in the header `Wherefrom-Receipt`. */
export function formatReceipt(receipt: Receipt): string {
  return `${receipt.log} ${receipt.position} ${receipt.index}`;
}
