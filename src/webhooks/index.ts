export { saysPrompt } from './event.ts';
export { projectWebhooks } from './project.ts';
export type * from './store.ts';
