import type { Problem } from '../api.ts';

/** Says what went wrong and what to do next, in the server's own words. */
export function ProblemNote({ problem }: { readonly problem: Problem }) {
  const { title, detail, hint } = problem;
  return (
    <div className="problem" role="alert">
      <strong>{detail ?? title}</strong>
      {hint !== undefined && <p>{hint.replace('`candidates`', 'this list')}</p>}
    </div>
  );
}
