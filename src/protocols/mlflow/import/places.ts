import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { artifactPath } from '../tracking/artifact-path.ts';

/** Where files are: a directory of this machine, the artifact proxy of the source, or elsewhere. */
export type Place =
  | { readonly kind: 'directory'; readonly path: string }
  | { readonly kind: 'proxied'; readonly path: string }
  | { readonly kind: 'elsewhere' };

/** A directory of this machine that a location names; undefined when it is none. */
function directoryOf(uri: string, base: string): string | undefined {
  if (/^file:/i.test(uri)) {
    try {
      return fileURLToPath(uri.replace(/^file:\/*/i, 'file:///'));
    } catch {
      return undefined;
    }
  }
  return /^[a-zA-Z][\w+.-]+:/.test(uri) || uri === '' ? undefined : resolve(base, uri);
}

/** Where the files of a location are. `base` is where relative paths of the source begin. */
export function placeOf(uri: string, base: string): Place {
  const directory = directoryOf(uri, base);
  if (directory !== undefined) return { kind: 'directory', path: directory };
  const path = artifactPath(uri);
  return path === undefined ? { kind: 'elsewhere' } : { kind: 'proxied', path };
}

/** Locations of the source as they are called here. */
export interface Places {
  /** True when the files of that directory can be brought. */
  readable(uri: string): boolean;
  /** Files below `from` will be found below `to`. */
  move(from: string, to: string): void;
  /** The location here; the same when its files stay where they are. */
  here(uri: string): string;
}

/** @param base where relative paths of the source begin. */
export function createPlaces(base: string): Places {
  const moves = new Map<string, string>();
  return {
    readable(uri) {
      const directory = directoryOf(uri, base);
      return directory !== undefined && existsSync(directory);
    },
    move(from, to) {
      const directory = directoryOf(from, base);
      if (directory !== undefined) moves.set(directory, to);
    },
    here(uri) {
      const directory = directoryOf(uri, base);
      if (directory === undefined) return uri;
      // From the whole path up: the nearest directory that was moved.
      for (let end = directory.length; end > 0; end = directory.lastIndexOf('/', end - 1)) {
        const to = moves.get(directory.slice(0, end));
        if (to !== undefined) return `${to.replace(/\/+$/, '')}${directory.slice(end)}`;
      }
      return uri;
    },
  };
}
