import { describe, expect, it } from 'vitest';
import { type ErrorCode, errorCodes, WherefromError } from '../base/errors.ts';
import { errorOfProblem, problemOf, problemSchema } from './problem.ts';

describe('problemOf', () => {
  it.each(Object.keys(errorCodes) as ErrorCode[])(
    'has the members of the standard for %s',
    (code) => {
      const problem = problemOf(new WherefromError(code, 'Why.', { hint: 'Do this.' }), 'req-1');
      expect(problemSchema.parse(problem)).toMatchObject({
        type: `/problems/${code}`,
        status: errorCodes[code].status,
        instance: 'req-1',
      });
    },
  );

  it('does not let detail replace the members of the standard', () => {
    const error = new WherefromError('conflict', 'Why.', {
      detail: { status: 200, type: 'x', more: 1 },
    });
    expect(problemOf(error)).toMatchObject({ status: 409, type: '/problems/conflict', more: 1 });
  });

  it('hides what a fault of the server says', () => {
    const error = new WherefromError('internal', 'ENOENT /secret', { detail: { path: '/secret' } });
    expect(JSON.stringify(problemOf(error))).not.toContain('secret');
  });

  it('is the error again on the other side', () => {
    const error = new WherefromError('conflict', 'Why.', {
      hint: 'Do.',
      detail: { candidates: [1] },
    });
    const back = errorOfProblem(problemOf(error, 'req-1'));
    expect(back).toMatchObject({
      code: 'conflict',
      message: 'Why.',
      hint: 'Do.',
      detail: { candidates: [1] },
    });
  });
});
