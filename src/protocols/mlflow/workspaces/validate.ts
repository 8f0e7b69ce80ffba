import { defaultWorkspace, isWorkspaceName, reservedNames } from '../../../door/index.ts';
import { invalidParameter } from '../errors.ts';
import { type DeletionMode, deletionModes, type Said } from './wire.ts';

const nameCharacters = { min: 2, max: 63 } as const;
const locationCharactersMax = 2_048;
const retentionCharactersMax = 32;

/**
 * @throws invalid_message with MLflow's text.
 * Source: mlflow/store/workspace/abstract_store.py (WorkspaceNameValidator).
 */
export function checkWorkspaceName(name: string): void {
  if (name === defaultWorkspace || isWorkspaceName(name)) return;
  const { min, max } = nameCharacters;
  if (name.length < min || name.length > max) {
    throw invalidParameter(
      `Workspace name '${name.slice(0, 200)}' must be between ${min} and ${max} characters.`,
    );
  }
  if (reservedNames.has(name)) {
    throw invalidParameter(`Workspace name '${name}' is reserved and cannot be used.`);
  }
  throw invalidParameter(
    `Workspace name '${name}' must match the pattern ^[a-z0-9]([-a-z0-9]*[a-z0-9])?$ (lowercase alphanumeric with optional internal hyphens).`,
  );
}

/** @throws invalid_message with MLflow's text for the workspace that is always there. */
export function checkNotDefault(name: string, what: 'created' | 'deleted'): void {
  if (name !== defaultWorkspace) return;
  throw invalidParameter(`The '${defaultWorkspace}' workspace is reserved and cannot be ${what}`);
}

/** RESTRICT when absent. @throws invalid_message with MLflow's text. */
export function readDeletionMode(value: unknown): DeletionMode {
  const mode = value ?? 'RESTRICT';
  const found = deletionModes.find((each) => each === mode);
  if (found !== undefined) return found;
  throw invalidParameter(
    `Invalid deletion mode '${String(mode).slice(0, 100)}'. Must be one of: ${deletionModes.join(', ')}`,
  );
}

/**
 * What is said, trimmed and checked; empty text clears.
 * @throws invalid_message with MLflow's text.
 * Source: mlflow/server/handlers.py (_validate_workspace_default_artifact_root and its neighbours).
 */
export function checkSaid(said: Said): Said {
  const { description, default_artifact_root: root, trace_archival_config: archival } = said;
  return {
    ...(description === undefined ? {} : { description }),
    ...(root === undefined ? {} : { default_artifact_root: checkArtifactRoot(root.trim()) }),
    ...(archival === undefined ? {} : { trace_archival_config: checkArchival(archival) }),
  };
}

function checkArtifactRoot(root: string): string {
  if (root === '') return root;
  checkLocation(root, 'default_artifact_root');
  if (/^[a-zA-Z][a-zA-Z0-9+.-]+:/.test(root) || root.startsWith('/')) return root;
  throw invalidParameter(
    `Invalid value for 'default_artifact_root'. Expected a URI (for example 's3://bucket/prefix' or 'mlflow-artifacts:/prefix') or an absolute path, got '${root}'.`,
  );
}

function checkLocation(location: string, field: string): void {
  if (location.includes('#') || location.includes(';'))
    throw invalidParameter(`'${field}' URL can't include fragments or params.`);
  if (location.startsWith('runs:'))
    throw invalidParameter(`Artifact location cannot be a runs:/ URI. Given: '${location}'`);
  if (location.length > locationCharactersMax)
    throw invalidParameter(
      `Invalid artifact path length. The length of the artifact path cannot be greater than ${locationCharactersMax} characters.`,
    );
}

function checkArchival({
  location,
  retention,
}: NonNullable<Said['trace_archival_config']>): NonNullable<Said['trace_archival_config']> {
  return {
    ...(location === undefined ? {} : { location: checkArchivalLocation(location.trim()) }),
    ...(retention === undefined ? {} : { retention: checkRetention(retention.trim()) }),
  };
}

function checkArchivalLocation(location: string): string {
  const field = 'trace_archival_config.location';
  if (location === '') return location;
  checkLocation(location, field);
  if (!/^[a-zA-Z][a-zA-Z0-9+.-]*:/.test(location))
    throw invalidParameter(`Invalid value for '${field}'. Expected a URI string.`);
  if (location.startsWith('mlflow-artifacts:'))
    throw invalidParameter(
      `Invalid value for '${field}'. Trace archival location cannot use the proxy-only \`mlflow-artifacts:\` scheme.`,
    );
  return location;
}

function checkRetention(retention: string): string {
  const field = 'trace_archival_config.retention';
  if (retention === '' || /^[1-9]\d*[mhd]$/.test(retention)) {
    if (retention.length <= retentionCharactersMax) return retention;
    throw invalidParameter(
      `Invalid value for '${field}'. Maximum length is ${retentionCharactersMax} characters.`,
    );
  }
  throw invalidParameter(
    `Invalid value for '${field}'. Expected a duration in the form \`<int><unit>\`, where unit is one of 'm', 'h', or 'd' (for example '30d' or '12h').`,
  );
}
