/**
 * What the source of an import said of a thing when it was last brought: the next import tells by it
 * what changed there from what changed here.
 */
export type ImportFact = {
  readonly kind: 'import.said';
  /** What it is, for example `run`; ids are of one sort of thing. */
  readonly thing: string;
  readonly id: string;
  /** Fingerprints of the statements, 16 hex digits each, one after the other. */
  readonly said: string;
};
