/** Searches are compared by status, error code and the order of what they find. */
import type { Compared } from './compared.ts';

interface Named {
  readonly name?: string;
  readonly version?: string;
  readonly info?: { readonly run_name?: string; readonly name?: string };
}

/** Names of what was found, in order; a version with its number. */
function namesOf(body: unknown): (string | undefined)[] {
  const lists = ['runs', 'experiments', 'models', 'registered_models', 'model_versions'];
  // An answer of one of the five searches, or an error without any of the lists.
  const found = lists.flatMap(
    (list) => (body as Readonly<Record<string, readonly Named[] | undefined>>)[list] ?? [],
  );
  return found.map(({ info, name, version }) =>
    version === undefined ? (info?.run_name ?? info?.name ?? name) : `${name}@${version}`,
  );
}

/** The texts of refusals are compared by the other tests: here the grammars must agree on what they refuse. */
export function foundAlike({ theirs, ours }: Compared): boolean {
  const code = (body: unknown): unknown => (body as { error_code?: unknown }).error_code;
  return (
    theirs.status === ours.status &&
    code(theirs.body) === code(ours.body) &&
    JSON.stringify(namesOf(theirs.body)) === JSON.stringify(namesOf(ours.body))
  );
}
