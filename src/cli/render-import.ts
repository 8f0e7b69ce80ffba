import {
  type ImportedThing,
  type ImportProgress,
  type ImportReport,
  importedThings,
} from '../protocols/mlflow/import/tool.ts';
import type { Io } from './io.ts';
import { clean, createStyle } from './style.ts';

/** The line on a terminal is rewritten this often; without one there is a line this often. */
const everyMs = { terminal: 200, lines: 10_000, json: 1_000 };
/** Troubles that are shown to people; --json has more. */
const shownMax = 20;

const number = (value: number): string => Math.round(value).toLocaleString('en-US');

/** Tells how far an import is: a line that changes, lines now and then, or lines of JSON. */
export function createImportProgress(
  io: Io,
  json: boolean,
): { told(progress: ImportProgress): void; end(): void } {
  const started = performance.now();
  const pause = json ? everyMs.json : io.status ? everyMs.terminal : everyMs.lines;
  // Lines of a short import would be noise.
  let last = json || io.status ? Number.NEGATIVE_INFINITY : started;
  return {
    told(progress) {
      const now = performance.now();
      if (now - last < pause) return;
      last = now;
      const seconds = (now - started) / 1_000;
      if (json) io.out(JSON.stringify({ progress: { ...progress, seconds } }));
      else (io.status ?? io.err)(progressLine(progress, seconds));
    },
    end: () => io.status?.(''),
  };
}

function progressLine(progress: ImportProgress, seconds: number): string {
  const { step, done, of, points, pointsOf } = progress;
  const rate = points > 0 ? `, ${number(points / seconds)} points/s` : '';
  const share = of && step === 'runs' ? Math.min(done / of, pointsOf ? points / pointsOf : 1) : 0;
  const eta =
    share > 0.02 && share < 1 ? `, about ${number((seconds * (1 - share)) / share)} s left` : '';
  return `${step}: ${number(done)}${of === undefined ? '' : ` of ${number(of)}`}${rate}${eta}`;
}

/** Writes what was brought, what was there, what was left, and what went wrong. */
export function renderImport(
  report: ImportReport,
  { io, json, seconds }: { readonly io: Io; readonly json: boolean; readonly seconds: number },
): void {
  if (json) {
    io.out(JSON.stringify({ report: { ...report, seconds } }));
    return;
  }
  const style = createStyle(io.color);
  const heads = ['Brought', 'Changed', 'Was here'].map((head) => head.padStart(12)).join('  ');
  io.out(style.bold(heads));
  const shown = importedThings.filter((thing) => total(report, thing) > 0);
  for (const thing of shown) {
    const columns = [report.brought[thing], report.changed[thing], report.there[thing]];
    io.out(`${columns.map((each) => number(each).padStart(12)).join('  ')}  ${thing}`);
  }
  const rate = report.brought['metric points'] / seconds;
  const files = report.bytes > 0 ? `, ${number(report.bytes / 1e6)} MB of files` : '';
  io.out(`In ${seconds.toFixed(1)} s${rate >= 1 ? ` (${number(rate)} points/s)` : ''}${files}.`);
  for (const note of report.notes) io.out(`  ${clean(note)}`);
  for (const { what, count, reason } of report.left)
    io.out(
      `Not brought: ${count === undefined ? '' : `${number(count)} `}${clean(what)}: ${clean(reason)}.`,
    );
  renderDifferences(report, io);
  if (report.troubleCount === 0) return;
  io.err(style.red(`${number(report.troubleCount)} could not be brought:`));
  for (const { what, reason } of report.troubles.slice(0, shownMax))
    io.err(`  ${clean(what)}: ${clean(reason)}`);
  const more = report.troubleCount - shownMax;
  if (more > 0) io.err(`  and ${number(more)} more; --json lists them.`);
}

const total = ({ brought, changed, there }: ImportReport, thing: ImportedThing): number =>
  brought[thing] + changed[thing] + there[thing];

/** What was changed here and at the source: nothing of it is overwritten. */
function renderDifferences({ differences, differenceCount }: ImportReport, io: Io): void {
  if (differenceCount === 0) return;
  io.out(`${number(differenceCount)} were changed here since they were brought, and stay so:`);
  for (const { what, fields } of differences.slice(0, shownMax))
    io.out(`  ${clean(what)}: ${clean(fields.slice(0, shownMax).join(', '))}`);
  const more = differenceCount - shownMax;
  if (more > 0) io.out(`  and ${number(more)} more; --json lists them.`);
}
