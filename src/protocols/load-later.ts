import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

/**
 * A package that is loaded when it is first asked for: what few servers use must not make all of them
 * start later and larger. Where waiting is possible, `await import()` does the same.
 * @param name of a package in `dependencies`; `Package` is its `typeof import(name)`.
 */
export function loadLater<Package>(name: string): () => Package {
  let loaded: Package | undefined;
  return () => {
    // The type is the caller's word: a package has no way to prove it.
    loaded ??= require(name) as Package;
    return loaded;
  };
}
