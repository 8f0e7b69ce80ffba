import { defaultWorkspace, isWorkspaceName, reservedNames } from '../../../door/index.ts';
import { invalidParameter } from '../errors.ts';
import { checkStorageLocation, type Hosts } from '../storage-location.ts';
import { type DeletionMode, deletionModes, type Said } from './wire.ts';

const nameCharacters = { min: 2, max: 63 } as const;
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
 * What is said, trimmed and checked; empty text clears. With `hosts` `any`, places may name any host.
 * @throws invalid_message with MLflow's text.
 * Source: mlflow/server/handlers.py (_validate_workspace_default_artifact_root and its neighbours).
 */
export function checkSaid(said: Said, hosts: Hosts = 'own'): Said {
  const { description, default_artifact_root: root, trace_archival_config: archival } = said;
  return {
    ...(description === undefined ? {} : { description }),
    ...(root === undefined ? {} : { default_artifact_root: checkArtifactRoot(root.trim(), hosts) }),
    ...(archival === undefined ? {} : { trace_archival_config: checkArchival(archival, hosts) }),
  };
}

function checkArtifactRoot(root: string, hosts: Hosts): string {
  if (root === '') return root;
  checkStorageLocation(root, 'default_artifact_root', hosts);
  if (/^[a-zA-Z][a-zA-Z0-9+.-]+:/.test(root) || root.startsWith('/')) return root;
  throw invalidParameter(
    `Invalid value for 'default_artifact_root'. Expected a URI (for example 's3://bucket/prefix' or 'mlflow-artifacts:/prefix') or an absolute path, got '${root}'.`,
  );
}

type Archival = NonNullable<Said['trace_archival_config']>;

function checkArchival({ location, retention }: Archival, hosts: Hosts): Archival {
  return {
    ...(location === undefined ? {} : { location: checkArchivalLocation(location.trim(), hosts) }),
    ...(retention === undefined ? {} : { retention: checkRetention(retention.trim()) }),
  };
}

function checkArchivalLocation(location: string, hosts: Hosts): string {
  const field = 'trace_archival_config.location';
  if (location === '') return location;
  checkStorageLocation(location, field, hosts);
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
