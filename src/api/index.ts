export { sendProblem } from './problem.ts';
export { registerApi } from './routes.ts';
export type { Answers, ApiServices, RefInput, Scope } from './services.ts';
