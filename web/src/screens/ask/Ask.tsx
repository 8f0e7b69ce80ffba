import { type FormEvent, useCallback, useEffect, useState } from 'react';
import type { Candidate, Problem } from '../../api.ts';
import { ProblemNote } from '../../ui/ProblemNote.tsx';
import { fetchTrace, kindWords, type Trace, tracePath } from './trace.ts';

type Asked =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'waiting'; readonly ref: string }
  | { readonly kind: 'answered'; readonly trace: Trace }
  | { readonly kind: 'refused'; readonly problem: Problem };

/** A box to ask where something came from. The question stands in the address, to be linked. */
export function Ask() {
  const [question, setQuestion] = useState(questionInAddress);
  const [asked, setAsked] = useState<Asked>({ kind: 'nothing' });

  const ask = useCallback(async (ref: string): Promise<void> => {
    setAsked({ kind: 'waiting', ref });
    const answer = await fetchTrace(ref);
    const next: Asked =
      'problem' in answer ? { kind: 'refused', ...answer } : { kind: 'answered', ...answer };
    // A later question may be waiting by now: its answer is the one to show.
    setAsked((now) => (now.kind === 'waiting' && now.ref === ref ? next : now));
  }, []);

  useEffect(() => {
    const ref = questionInAddress();
    if (ref !== '') void ask(ref);
  }, [ask]);

  function submit(event: FormEvent): void {
    event.preventDefault();
    const ref = question.trim();
    if (ref !== '') askFor(ref);
  }

  function askFor(ref: string): void {
    setQuestion(ref);
    history.replaceState(null, '', `?ref=${encodeURIComponent(ref)}`);
    void ask(ref);
  }

  return (
    <section className="panel" aria-labelledby="ask-title">
      <h2 id="ask-title">Ask</h2>
      <form className="ask" onSubmit={submit}>
        <label htmlFor="ask-ref">Where did this come from?</label>
        <div className="ask-row">
          <input
            id="ask-ref"
            value={question}
            onChange={(event) => setQuestion(event.target.value)}
            placeholder="p-1, or kind:namespace/name@version"
            autoComplete="off"
            autoCapitalize="off"
            spellCheck={false}
          />
          <button type="submit">Trace</button>
        </div>
      </form>
      <div className="answer" aria-live="polite">
        {show(asked, askFor)}
      </div>
    </section>
  );
}

function show(asked: Asked, askFor: (ref: string) => void) {
  switch (asked.kind) {
    case 'nothing':
      return null;
    case 'waiting':
      return <p className="hint">Asking …</p>;
    case 'refused':
      return (
        <>
          <ProblemNote problem={asked.problem} />
          <CandidateList candidates={asked.problem.candidates ?? []} onChoose={askFor} />
        </>
      );
    case 'answered':
      return <TraceList trace={asked.trace} />;
  }
}

interface CandidateListProps {
  readonly candidates: readonly Candidate[];
  readonly onChoose: (ref: string) => void;
}

/** What may have been meant, to ask again with one press. */
function CandidateList({ candidates, onChoose }: CandidateListProps) {
  if (candidates.length === 0) return null;
  return (
    <ul className="candidates">
      {candidates.map(({ ref, why }) => (
        <li key={ref}>
          <button type="button" onClick={() => onChoose(ref)}>
            {ref}
          </button>
          <span className="hint">{why}</span>
        </li>
      ))}
    </ul>
  );
}

function TraceList({ trace }: { readonly trace: Trace }) {
  return (
    <>
      <p className="hint">
        {trace.nodes.length === 0 ? (
          <>
            Nothing is recorded of where <code>{trace.ref}</code> came from.
          </>
        ) : (
          <>
            <code>{trace.ref}</code> leads back to {count(trace.nodes.length, 'thing')} over{' '}
            {count(trace.edgeCount, 'link')}.
          </>
        )}{' '}
        <a href={tracePath(trace.ref)}>Full answer</a>
      </p>
      <ul className="nodes">
        {trace.nodes.map((node, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: the list is shown once and never reordered; a ref may be missing
          <li key={`${index} ${node.ref}`} title={node.ref}>
            <span className="kind">{kindWords(node.kind)}</span> {node.name}
          </li>
        ))}
      </ul>
      {trace.stopped.length > 0 && (
        <p className="hint">The walk stopped early at {trace.stopped.join('; ')}.</p>
      )}
    </>
  );
}

function count(number: number, noun: string): string {
  return `${number.toLocaleString()} ${noun}${number === 1 ? '' : 's'}`;
}

function questionInAddress(): string {
  return new URLSearchParams(location.search).get('ref') ?? '';
}
