import { sha256 } from '../../base/digest.ts';
import { BoundedMap } from './cache.ts';
import type { Database } from './database.ts';

/** Longer attribute values are interned: schemas repeat with every run. */
const inlineCharactersMax = 64;
/** Longer values are not kept in memory. */
const recentCharactersMax = 4_096;

/** Texts of the graph that are written once and referred to by number. */
export class LineageTexts {
  readonly #db: Database;
  readonly #words = new BoundedMap<string, number>();
  readonly #values = new BoundedMap<string, bigint>(10_000);
  /** By the text itself: saves the digest of what comes with every event. */
  readonly #recentValues = new BoundedMap<string, bigint>(2_000);

  constructor(db: Database) {
    this.#db = db;
  }

  /** Forgets what was written, after a rollback. */
  reset(): void {
    this.#words.clear();
    this.#values.clear();
    this.#recentValues.clear();
  }

  /** The number of a word that repeats: a role, a rule, a name of an attribute; 0 for none. */
  word(word: string | null): number {
    if (word === null) return 0;
    const cached = this.#words.get(word);
    if (cached !== undefined) return cached;
    const id =
      this.#db.getApart<{ id: number }>('SELECT id FROM lineage_words WHERE word = ?', word)?.id ??
      this.#db.runApart('INSERT INTO lineage_words (word) VALUES (?)', word).lastInsertRowid;
    this.#words.set(word, id);
    return id;
  }

  /**
   * Text when short, else the number of an interned value. The number comes from the content, so
   * that ties between values are decided alike whatever came first.
   */
  value(text: string): string | bigint {
    if (text.length <= inlineCharactersMax) return text;
    const recent = this.#recentValues.get(text);
    if (recent !== undefined) return recent;
    const id = this.#intern(text);
    if (typeof id === 'bigint' && text.length <= recentCharactersMax)
      this.#recentValues.set(text, id);
    return id;
  }

  #intern(text: string): string | bigint {
    const hash = sha256(text).subarray(0, 16);
    const cacheKey = hash.toString('latin1');
    const cached = this.#values.get(cacheKey);
    if (cached !== undefined) return cached;
    // A bigint: the driver binds a number as REAL, which a column of any type would keep.
    const id = hash.readBigUInt64BE(0) >> 13n;
    this.#db.runApart(
      'INSERT INTO lineage_values (id, hash, value) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
      id,
      hash,
      text,
    );
    const stored = this.#db.getApart<{ hash: Uint8Array }>(
      'SELECT hash FROM lineage_values WHERE id = ?',
      id,
    );
    if (!stored || !hash.equals(stored.hash)) return text; // the number is taken by other content
    this.#values.set(cacheKey, id);
    return id;
  }
}
