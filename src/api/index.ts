export { sendProblem } from './problem.ts';
export { apiPrefix, registerApi } from './routes.ts';
export type { Answers, ApiServices, Scope } from './services.ts';
