import { Figure } from '../../ui/Figure.tsx';
import { ProblemNote } from '../../ui/ProblemNote.tsx';
import type { Status, StatusReading } from './status.ts';

const COMMIT_SHOWN_LENGTH = 10;

/** How the server is and what it holds. */
export function StatusPanel({ reading }: { readonly reading: StatusReading }) {
  const { status, problem } = reading;
  return (
    <section className="panel" aria-labelledby="status-title">
      <div className="panel-head">
        <h2 id="status-title">This server</h2>
        <span className={`state ${stateOf(reading)}`} role="status">
          {stateWords[stateOf(reading)]}
        </span>
      </div>
      {problem !== undefined && (
        <>
          <ProblemNote problem={problem} />
          {status !== undefined && <p className="hint">What was read last:</p>}
        </>
      )}
      {status !== undefined && <StatusDetails status={status} />}
    </section>
  );
}

function StatusDetails({ status }: { readonly status: Status }) {
  const { counts, entries, checkpoint } = status;
  const facts = describe(status);
  return (
    <>
      {(counts.length > 0 || entries !== undefined) && (
        <dl className="figures">
          {counts.map((count) => (
            <Figure key={count.name} {...count} />
          ))}
          {entries !== undefined && <Figure name="ledger entries" value={entries} />}
        </dl>
      )}
      {facts.length > 0 && <p className="hint">{facts.join(' · ')}</p>}
      {checkpoint !== undefined && (
        <details>
          <summary>Latest signed checkpoint of the ledger</summary>
          <pre>
            <code>{checkpoint}</code>
          </pre>
        </details>
      )}
    </>
  );
}

type State = 'reading' | 'running' | 'unknown';

const stateWords: Readonly<Record<State, string>> = {
  reading: 'Reading its status …',
  running: 'Running',
  unknown: 'Its status cannot be read',
};

function stateOf({ status, problem }: StatusReading): State {
  if (problem !== undefined) return 'unknown';
  return status === undefined ? 'reading' : 'running';
}

function describe({ version, commit, startedAt, authentication }: Status): readonly string[] {
  const said: string[] = [];
  if (version !== undefined) {
    const at = commit === undefined ? '' : ` (${commit.slice(0, COMMIT_SHOWN_LENGTH)})`;
    said.push(`Version ${version}${at}`);
  }
  const started = startedAt === undefined ? Number.NaN : Date.parse(startedAt);
  if (!Number.isNaN(started)) said.push(`running since ${new Date(started).toLocaleString()}`);
  if (authentication === 'none') said.push('no API key: everybody on this machine may use it');
  if (authentication === 'keys') said.push('asks for an API key');
  return said;
}
