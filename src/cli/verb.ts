import { stripVTControlCharacters } from 'node:util';
import { type ArgsDef, type ParsedArgs, parseArgs, renderUsage } from 'citty';
import { type ExitCode, type Io, UsageError } from './io.ts';

/** One command of the CLI, with its arguments checked before it runs. */
export interface Verb {
  readonly name: string;
  readonly summary: string;
  /** Text of `--help`. */
  help(io: Io): Promise<string>;
  run(rawArgs: readonly string[], io: Io): Promise<ExitCode>;
}

export interface VerbDefinition<Args extends ArgsDef> {
  readonly name: string;
  readonly summary: string;
  /** Command lines to copy, each with what it does after two spaces and #. */
  readonly examples: readonly string[];
  readonly args: Args;
  /** Options that may be given several times: their values are joined by commas. */
  readonly repeatable?: readonly (keyof Args & string)[];
  run(args: ParsedArgs<Args>, io: Io): Promise<ExitCode>;
}

/** The option that every verb has. */
export const jsonArg = {
  json: { type: 'boolean', description: 'Write JSON, for programs.' },
} as const;

/** Makes a verb of its definition. `run` throws UsageError for arguments that it does not have. */
export function defineVerb<const Args extends ArgsDef>(definition: VerbDefinition<Args>): Verb {
  const { name, summary, examples, args, repeatable = [] } = definition;
  return {
    name,
    summary,
    async help(io) {
      const usage = await renderUsage(
        { meta: { name: `wherefrom ${name}`, description: summary }, args },
        undefined,
      );
      const text = `${usage.replace(/[^\S\n]+$/gm, '')}\nEXAMPLES\n\n${examples.map((line) => `  ${line}`).join('\n')}`;
      return io.color ? text : stripVTControlCharacters(text);
    },
    async run(rawArgs, io) {
      checkOptions(rawArgs, args, name);
      return definition.run(parse<Args>(joinRepeated(rawArgs, repeatable), args, name), io);
    },
  };
}

/** The parser keeps the last of several values: those of a repeatable option become one. */
function joinRepeated(rawArgs: readonly string[], repeatable: readonly string[]): string[] {
  let joined = [...rawArgs];
  for (const option of repeatable) {
    const values: string[] = [];
    const rest: string[] = [];
    let isNext = false;
    for (const argument of joined) {
      const [name, value] = argument.split('=', 2);
      if (isNext) values.push(argument);
      else if (name !== `--${option}`) rest.push(argument);
      else if (value !== undefined) values.push(value);
      isNext = !isNext && name === `--${option}` && value === undefined;
    }
    // A last one without a value stays for the parser to refuse.
    if (isNext) rest.push(`--${option}`);
    joined = values.length === 0 ? rest : [...rest, `--${option}=${values.join(',')}`];
  }
  return joined;
}

function parse<Args extends ArgsDef>(
  rawArgs: readonly string[],
  args: Args,
  name: string,
): ParsedArgs<Args> {
  let parsed: ParsedArgs<Args>;
  try {
    parsed = parseArgs<Args>([...rawArgs], args);
  } catch (thrown) {
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    throw new UsageError(`${stripVTControlCharacters(message)}.`, helpHint(name));
  }
  for (const [argument, { type }] of Object.entries(args)) {
    if (type === 'positional' && argument in parsed && Reflect.get(parsed, argument) === '')
      throw new UsageError(`The argument ${argument.toUpperCase()} is empty.`, helpHint(name));
  }
  const places = Object.values(args).filter(({ type }) => type === 'positional').length;
  const extra = parsed._[places];
  if (extra !== undefined) {
    throw new UsageError(`"${extra}" is one argument too many.`, helpHint(name));
  }
  return parsed;
}

/** The parser takes unknown options silently; we do not: a misspelt limit must not be ignored. */
function checkOptions(rawArgs: readonly string[], args: ArgsDef, name: string): void {
  const options = new Map(
    Object.entries(args)
      .filter(([, { type }]) => type !== 'positional')
      .map(([option, { type }]) => [option, type]),
  );
  for (const [index, argument] of rawArgs.entries()) {
    if (argument === '--') return;
    if (!argument.startsWith('-') || argument === '-' || isValue(rawArgs[index - 1], options))
      continue;
    const [option = '', value] = argument.replace(/^--?/, '').split('=', 2);
    const type = options.get(option) ?? options.get(option.replace(/^no-/, ''));
    if (type === undefined) throw new UsageError(`There is no option ${argument}.`, helpHint(name));
    if (type === 'boolean') continue;
    const next = value ?? rawArgs[index + 1];
    if (next === undefined || next === '' || (value === undefined && next.startsWith('--'))) {
      throw new UsageError(`The option --${option} needs a value.`, helpHint(name));
    }
  }
}

/** True when the argument before is an option that takes this one as its value. */
function isValue(
  before: string | undefined,
  options: ReadonlyMap<string, string | undefined>,
): boolean {
  if (before === undefined || !before.startsWith('--') || before.includes('=')) return false;
  const type = options.get(before.slice(2));
  return type === 'string' || type === 'enum';
}

function helpHint(name: string): string {
  return `wherefrom ${name} --help shows what it takes.`;
}

/** A whole number from an option. @throws UsageError when it is none, or not from `min` to `max`. */
export function readNumber(
  text: string | undefined,
  option: string,
  range: { min: number; max: number },
): number | undefined {
  if (text === undefined) return undefined;
  const number = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (number >= range.min && number <= range.max) return number;
  throw new UsageError(
    `--${option} is "${text}"; it must be a whole number from ${range.min} to ${range.max}.`,
  );
}
