export { sendProblem } from './problem.ts';
export { registerApi } from './routes.ts';
export type { Answers, ApiServices, Scope } from './services.ts';
