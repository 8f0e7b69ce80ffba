import { knownLevels, relations } from '../../facts/relations.ts';
import type { TraceAssessment, TraceSpan } from '../../facts/trace-facts.ts';
import type { KeyValue } from '../../facts/tracking-facts.ts';
import type { NewTrace, SpanPlace, TraceChange, TraceStore, UseRow } from '../../traces/store.ts';
import { BoundedMap } from './cache.ts';
import { placeOf } from './traces-contents.ts';
import { noExperiment, SqliteTraceReader } from './traces-reader.ts';

/** The traces in SQLite, to write: the writer alone remembers keys. */
export class SqliteTraceStore extends SqliteTraceReader implements TraceStore {
  readonly #keys = new BoundedMap<string, number>();

  addTrace({ workspace, id, experiment, time, status, position }: NewTrace): number {
    return this.db.run(
      'INSERT INTO traces (workspace, id, experiment, time, status, position) VALUES (?, ?, ?, ?, ?, ?)',
      this.#ensureKey(workspace),
      id,
      experiment === null ? noExperiment : Number(experiment),
      Math.trunc(time),
      status,
      position,
    ).lastInsertRowid;
  }

  changeTrace(key: number, change: TraceChange): void {
    const { experiment, time, durationMs, reported, ...texts } = change;
    const set = (column: string, value: string | number | null | undefined): void => {
      if (value !== undefined)
        this.db.run(`UPDATE traces SET ${column} = ? WHERE key = ?`, value, key);
    };
    if (experiment !== undefined)
      set('experiment', experiment === null ? noExperiment : Number(experiment));
    set('time', time === undefined ? undefined : Math.trunc(time));
    set('duration', typeof durationMs === 'number' ? Math.trunc(durationMs) : durationMs);
    if (reported) set('reported', 1);
    set('status', texts.status);
    set('name', texts.name);
    set('root_name', texts.rootName);
    set('session', texts.session);
    set('client_request_id', texts.clientRequestId);
    set('request', texts.request);
    set('response', texts.response);
    set('usage', texts.usage);
    set('cost', texts.cost);
  }

  putTag(key: number, tag: KeyValue): void {
    this.#putEntry('trace_tags', key, tag);
  }

  removeTag(key: number, name: string): void {
    this.db.run(
      'DELETE FROM trace_tags WHERE trace = ? AND name = ?',
      key,
      this.findKey(name) ?? 0,
    );
  }

  putMetadata(key: number, entry: KeyValue): void {
    this.#putEntry('trace_metadata', key, entry);
  }

  addMetadata(key: number, { key: name, value }: KeyValue): void {
    this.db.run(
      'INSERT INTO trace_metadata (trace, name, value) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
      key,
      this.#ensureKey(name),
      value,
    );
  }

  #putEntry(table: 'trace_tags' | 'trace_metadata', key: number, entry: KeyValue): void {
    this.db.run(
      `INSERT INTO ${table} (trace, name, value) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value`,
      key,
      this.#ensureKey(entry.key),
      entry.value,
    );
  }

  putSpan(key: number, span: TraceSpan, { position, index }: SpanPlace): void {
    this.db.run(
      'INSERT OR REPLACE INTO trace_spans VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
      key,
      span.id,
      span.parent ?? null,
      span.name,
      span.type ?? null,
      span.status,
      span.startUs,
      span.endUs ?? null,
      span.usage ?? null,
      span.cost ?? null,
      span.model ?? null,
      span.provider ?? null,
      placeOf(position, index),
    );
  }

  putAssessment(key: number, assessment: TraceAssessment): void {
    const { metadata, numeric, number } = assessment;
    this.db.run(
      `INSERT INTO trace_assessments (trace, id, name, type, value, number, numeric, valid, source_type, source_id,
         span, run, rationale, overrides, error, metadata, created_time, updated_time)
       VALUES (?, ?, ?, ?, ?, ?, ?, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET name = excluded.name, type = excluded.type, value = excluded.value,
         number = excluded.number, numeric = excluded.numeric, rationale = excluded.rationale,
         error = excluded.error, metadata = excluded.metadata, updated_time = excluded.updated_time`,
      key,
      assessment.id,
      assessment.name,
      assessment.type,
      assessment.value,
      number ?? null,
      numeric ? 1 : 0,
      assessment.sourceType,
      assessment.sourceId ?? null,
      assessment.spanId ?? null,
      assessment.runId ?? null,
      assessment.rationale ?? null,
      assessment.overrides ?? null,
      assessment.error ?? null,
      JSON.stringify(Object.fromEntries(metadata.map((entry) => [entry.key, entry.value]))),
      Math.trunc(assessment.createdTime),
      Math.trunc(assessment.updatedTime),
    );
  }

  removeAssessment(key: number, id: string): void {
    this.db.run('DELETE FROM trace_assessments WHERE trace = ? AND id = ?', key, id);
  }

  setValid(key: number, assessment: string, valid: boolean): void {
    this.db.run(
      'UPDATE trace_assessments SET valid = ? WHERE trace = ? AND id = ?',
      valid ? 1 : 0,
      key,
      assessment,
    );
  }

  putUse(
    key: number,
    { ref, relation, role, known, rule, unknown, position }: Omit<UseRow, 'owner'>,
  ): void {
    this.db.run(
      'INSERT INTO trace_uses (trace, ref, role, relation, known, rule, unknown, position) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
      key,
      this.#ensureKey(ref),
      role,
      relations[relation].code,
      knownLevels.indexOf(known),
      rule,
      unknown ? 1 : 0,
      position,
    );
  }

  putLink(key: number, to: 'run' | 'prompt', target: string): void {
    this.db.run(
      'INSERT INTO trace_links (trace, kind, target) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
      key,
      to,
      target,
    );
  }

  deleteTrace(key: number, time: number): void {
    this.db.run(
      'UPDATE traces SET deleted_time = ?, request = NULL, response = NULL WHERE key = ?',
      time,
      key,
    );
    for (const table of ['tags', 'metadata', 'spans', 'assessments', 'links']) {
      this.db.run(`DELETE FROM trace_${table} WHERE trace = ?`, key);
    }
  }

  renameRef(from: string, to: string): void {
    const key = this.#ensureKey(from);
    if (this.findKey(to) === undefined) {
      this.db.run('INSERT INTO trace_names (name, key) VALUES (?, ?)', to, key);
    }
  }

  reset(): void {
    this.#keys.clear();
  }

  protected override findKey(name: string): number | undefined {
    return this.#keys.get(name) ?? super.findKey(name);
  }

  #ensureKey(name: string): number {
    const key = this.findKey(name) ?? this.#addKey(name);
    this.#keys.set(name, key);
    return key;
  }

  #addKey(name: string): number {
    return this.db.run(
      'INSERT INTO trace_names (name, key) SELECT ?, coalesce(max(rank), 0) + 1 FROM trace_names',
      name,
    ).lastInsertRowid;
  }
}
