import type { Problem } from '../api.ts';

/** Says what went wrong, in the server's own words. */
export function ProblemNote({ problem }: { readonly problem: Problem }) {
  return (
    <div className="problem" role="alert">
      <strong>{problem.title}</strong>
      {problem.detail !== undefined && <p>{problem.detail}</p>}
    </div>
  );
}
