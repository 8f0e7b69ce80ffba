import { limits } from '../../base/limits.ts';
import { findRef } from '../../facts/ref.ts';
import {
  deploymentRef,
  type ModelRow,
  type RegistryReader,
  versionRef,
} from '../../registry/index.ts';
import type { NamedVersion } from './check.ts';

/** What a name stands for over an interval of time. */
export interface Choice {
  readonly from: number;
  /** Infinity while it holds. */
  readonly to: number;
  /** Whole ref; undefined when the thing has no such version. */
  readonly ref: string | undefined;
  /** Of deployments: the version that runs there. */
  readonly modelVersion?: string | undefined;
}

/** All that a name ever stood for. Loaded once, then asked for as many times as there are predictions. */
export interface Named {
  /** How it is shown when it is unknown. */
  readonly text: string;
  /** True when it names a model, but no version of it and no alias. */
  readonly bare?: boolean;
  readonly choices: readonly Choice[];
  /**
   * Also where no choice covers the time the nearest is meant: the last that began before, else the
   * first. Clocks differ, and history is brought in late; but never one that came later on.
   */
  readonly nearest?: boolean;
}

/** What a name stood for at a time. */
export function choose({ choices, nearest }: Named, time: number): Choice | undefined {
  for (const choice of choices) {
    if (choice.from <= time && time < choice.to) return choice;
  }
  if (!nearest) return undefined;
  const byStart = [...choices].sort((a, b) => a.from - b.from);
  return byStart.findLast((choice) => choice.from <= time) ?? byStart[0];
}

interface VersionName {
  readonly model: string;
  readonly version?: number | undefined;
  readonly alias?: string | undefined;
  readonly generation?: number | undefined;
}

function splitName(text: string): VersionName {
  const plain = text.startsWith('models:/') ? text.slice(8).replace(/\/([^/]*)$/, '@$1') : text;
  const at = plain.lastIndexOf('@');
  if (at < 0) return { model: plain };
  const [model, suffix] = [plain.slice(0, at), plain.slice(at + 1)];
  return /^\d{1,15}$/.test(suffix) ? { model, version: Number(suffix) } : { model, alias: suffix };
}

/**
 * Reads the names of models and deployments in records. A name that several models had is read as
 * of the record's time: it never moves to a newer model of the same name.
 */
export class NameReader {
  readonly #registry: RegistryReader;
  readonly #workspace: string;
  readonly #versions = new Map<string, Promise<Named>>();
  readonly #deployments = new Map<string, Promise<Named>>();

  constructor(registry: RegistryReader, workspace: string) {
    this.#registry = registry;
    this.#workspace = workspace;
  }

  /** A model version by any of its names. */
  version(named: NamedVersion): Promise<Named> {
    const text = typeof named === 'string' ? named : textOf(named);
    const known = this.#versions.get(text);
    if (known) return known;
    const loaded = this.#loadVersion(typeof named === 'string' ? named : partsOf(named), text);
    this.#versions.set(text, loaded);
    return loaded;
  }

  /** A deployment by name or whole ref. */
  deployment(name: string): Promise<Named> {
    const known = this.#deployments.get(name);
    if (known) return known;
    const loaded = this.#loadDeployment(name);
    this.#deployments.set(name, loaded);
    return loaded;
  }

  async #loadVersion(named: string | VersionName, text: string): Promise<Named> {
    const whole = typeof named === 'string' ? findRef(named) : undefined;
    if (whole !== undefined) {
      const { kind, namespace, name, version, generation = 1 } = whole;
      const elsewhere = kind !== 'modelVersion' || namespace !== this.#workspace;
      if (elsewhere || version === undefined) return { text, choices: [] };
      return this.#byNumber(text, { model: name, version: Number(version), generation });
    }
    const parts = typeof named === 'string' ? splitName(named) : named;
    if (parts.version !== undefined) return this.#byNumber(text, parts);
    if (parts.alias !== undefined) return this.#byAlias(text, parts);
    return { text, bare: !text.includes('@'), choices: [] };
  }

  /** The models that had the name, each with the interval. */
  async #models({
    model: name,
    generation,
  }: VersionName): Promise<(Choice & { model: ModelRow })[]> {
    const found: (Choice & { model: ModelRow })[] = [];
    for (const use of await this.#registry.listNameUses(this.#workspace, name)) {
      if (generation !== undefined && use.generation !== generation) continue;
      const model = await this.#registry.findModelByKey(use.model);
      // A whole ref names one model, whatever the time.
      const from = generation === undefined ? use.fromTime : Number.NEGATIVE_INFINITY;
      const to = generation === undefined ? use.toTime : null;
      if (model) found.push({ from, to: to ?? Number.POSITIVE_INFINITY, ref: undefined, model });
    }
    return found.reverse();
  }

  async #byNumber(text: string, name: VersionName): Promise<Named> {
    const choices: Choice[] = [];
    for (const { from, to, model } of await this.#models(name)) {
      const number = name.version ?? 0;
      const version = await this.#registry.findVersionOfModel(model.key, number);
      const ref = version && versionRef(this.#workspace, model, number);
      choices.push({ from, to, ref });
    }
    return { text, choices, nearest: true };
  }

  async #byAlias(text: string, { alias = '', ...name }: VersionName): Promise<Named> {
    const choices: Choice[] = [];
    for (const { from, to, model } of await this.#models(name)) {
      const uses = await this.#registry.listAliasUses(model.key, alias);
      for (const use of uses.reverse()) {
        choices.push({
          from: Math.max(from, use.fromTime),
          to: Math.min(to, use.toTime ?? Number.POSITIVE_INFINITY),
          ref: versionRef(this.#workspace, model, use.version),
        });
      }
    }
    return { text, choices };
  }

  async #loadDeployment(text: string): Promise<Named> {
    const whole = findRef(text);
    const at = text.lastIndexOf('@');
    const numbered =
      whole ??
      (/@\d{1,9}$/.test(text)
        ? { name: text.slice(0, at), version: text.slice(at + 1) }
        : undefined);
    if (whole && (whole.kind !== 'deployment' || whole.namespace !== this.#workspace)) {
      return { text, choices: [] };
    }
    const name = numbered?.name ?? text;
    const number = numbered?.version === undefined ? undefined : Number(numbered.version);
    const rows =
      number === undefined
        ? await this.#registry.listDeployments(this.#workspace, {
            name,
            limit: limits.deploymentsPerNameMax,
          })
        : [await this.#registry.findDeploymentByNumber(this.#workspace, name, number)];
    const choices: Choice[] = [];
    for (const row of rows) {
      if (row === undefined) continue;
      choices.push({
        from: number === undefined ? row.from : Number.NEGATIVE_INFINITY,
        to: (number === undefined ? row.until : null) ?? Number.POSITIVE_INFINITY,
        ref: deploymentRef(this.#workspace, name, row.number),
        // The model may have been renamed since.
        modelVersion: choose(await this.version(row.modelVersion), row.from)?.ref,
      });
    }
    return { text, choices };
  }
}

function partsOf(named: Exclude<NamedVersion, string>): VersionName {
  const number = Number(named.version);
  const version = named.version === undefined || !Number.isInteger(number) ? undefined : number;
  return { model: named.model, version, alias: named.alias };
}

function textOf({ model, version, alias }: Exclude<NamedVersion, string>): string {
  const suffix = version ?? alias;
  return suffix === undefined ? model : `${model}@${suffix}`;
}

/** Why a name of a model version stands for none, in a sentence. */
export function unknownVersion({ text, bare }: Named): string {
  return bare
    ? `"${text}" names a model without a version: say "${text}@3", or add "version" or "alias".`
    : `no model version "${text}" is known.`;
}
