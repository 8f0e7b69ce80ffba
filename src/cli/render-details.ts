import { isObject, list, text } from '../base/json.ts';
import type { AnswerNode } from '../contract/answer.ts';
import { clean, cut } from './style.ts';

const itemsMax = 12;
const valueWidthMax = 60;

/** What is worth reading of a node's attributes, by its kind: a line each, the rest is in `--json`. */
export function detailsOf({ kind, attributes }: AnswerNode): string[] {
  const lines = [...sameAs(attributes.sameAs), ...statements(attributes.statements)];
  const deleted = text(attributes.deletedTime);
  if (deleted !== undefined) lines.push(`deleted: ${deleted}`);
  if (kind === 'prediction') {
    lines.push(members(attributes, predictionMembers), ...outcomes(attributes.outcomes));
  }
  if (kind === 'run') {
    lines.push(members(attributes, ['state', 'startTime', 'endTime']));
    lines.push(named('parameters', attributes.parameters), named('metrics', attributes.metrics));
  }
  if (kind === 'deployment') lines.push(members(attributes, deploymentMembers));
  if (kind === 'environment')
    lines.push(members(attributes, ['python', 'imageDigest', 'packages']));
  return lines.filter((line) => line !== '').map(clean);
}

const predictionMembers = ['time', 'decision', 'output', 'reasonCodes'];
const deploymentMembers = ['environment', 'endpoint', 'imageDigest', 'from', 'until'];

/** `truth: 1 (2026-…)`: what became known of a prediction later. */
function outcomes(value: unknown): string[] {
  return list(value)
    .filter(isObject)
    .slice(0, itemsMax)
    .map(({ type, value: said, time }) => `${shown(type)}: ${shown(said ?? '')} (${shown(time)})`);
}

/** The other names of a dataset, and the rule that found each. */
function sameAs(value: unknown): string[] {
  return list(value)
    .filter(isObject)
    .slice(0, itemsMax)
    .map(({ ref, rule, validTo }) => {
      const until = text(validTo) === undefined ? '' : `, until ${text(validTo)}`;
      return `= ${text(ref) ?? ''} (${text(rule) ?? ''}${until})`;
    });
}

/** `incident: trained on leaked labels (Ada)`: what is stated about the node and holds. */
function statements(value: unknown): string[] {
  const said = list(value).filter(isObject);
  const lines = said.slice(0, itemsMax).map((each) => {
    const body = text(each.text) ?? (each.value === undefined ? '' : shown(each.value));
    const until = text(each.validTo) === undefined ? [] : [`until ${text(each.validTo)}`];
    const notes = [...(text(each.author) === undefined ? [] : [text(each.author)]), ...until];
    const what = body === '' ? (text(each.type) ?? '') : `${text(each.type)}: ${body}`;
    return notes.length === 0 ? what : `${what} (${notes.join(', ')})`;
  });
  const more = said.length - itemsMax;
  return more > 0 ? [...lines, `… ${more} more statements`] : lines;
}

/** `parameters: max_depth=8, seed=7, …` */
function named(title: string, value: unknown): string {
  if (!isObject(value)) return '';
  const pairs = Object.entries(value).map(([name, one]) => `${name}=${shown(one)}`);
  return pairs.length === 0 ? '' : `${title}: ${joined(pairs)}`;
}

/** `decision: refused · output: 0.71` */
function members(attributes: AnswerNode['attributes'], names: readonly string[]): string {
  return names
    .filter((name) => attributes[name] !== undefined && attributes[name] !== null)
    .map((name) => `${name}: ${shown(attributes[name])}`)
    .join(' · ');
}

function shown(value: unknown): string {
  if (Array.isArray(value)) return joined(value.map(shown));
  // A reason by its code: how much it weighed is in the whole record.
  if (isObject(value) && text(value.code) !== undefined) return text(value.code) ?? '';
  return cut(isObject(value) ? JSON.stringify(value) : String(value), valueWidthMax);
}

function joined(items: readonly string[]): string {
  const more = items.length > itemsMax ? `, … ${items.length - itemsMax} more` : '';
  return items.slice(0, itemsMax).join(', ') + more;
}
