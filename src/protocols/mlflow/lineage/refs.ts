import { formatRef } from '../../../facts/ref.ts';

/** The whole ref of a run. */
export const runRef = (workspace: string, id: string): string =>
  formatRef({ kind: 'run', namespace: workspace, name: id });

export const experimentRef = (workspace: string, id: string): string =>
  formatRef({ kind: 'experiment', namespace: workspace, name: id });

/** A logged model, by its id. */
export const modelRef = (workspace: string, id: string): string =>
  formatRef({ kind: 'artifact', namespace: workspace, name: id });

/** A file, by its content. */
export const fileRef = (workspace: string, digest: string): string =>
  formatRef({ kind: 'artifact', namespace: workspace, name: `sha256:${digest}` });

/** A person or account, by its token. */
export const agentRef = (workspace: string, token: string): string =>
  formatRef({ kind: 'agent', namespace: workspace, name: token });

export const environmentRef = (workspace: string, digest: string): string =>
  formatRef({ kind: 'environment', namespace: workspace, name: digest });
