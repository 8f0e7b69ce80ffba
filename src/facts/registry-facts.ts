import type { JsonObject } from '../base/json.ts';

/**
 * Which registered model is meant: its name, and which of the models that ever had this name
 * (1 for the first). Decided at the door: a name that is used again means another model.
 */
export interface ModelName {
  readonly name: string;
  readonly generation: number;
}

/**
 * When a change of what is said about a model or version happened: the recorded time, or a
 * millisecond after the change before it, so that two changes are never equally new.
 */
export interface ChangeTime {
  readonly time: number;
}

export interface ModelTag {
  readonly key: string;
  readonly value: string;
}

/**
 * When a model or version of another registry was made, last changed and deleted there, ms since
 * 1970. Absent for those made here: then it is the recorded time.
 */
export interface OriginTimes {
  readonly createdTime?: number | undefined;
  readonly updatedTime?: number | undefined;
  readonly deletedTime?: number | undefined;
}

/**
 * What translators say about registered models, their versions and where these run. Times are
 * recorded ones (registries send none), except the interval of a deployment and `OriginTimes`.
 */
export type RegistryFact =
  | ({
      readonly kind: 'model.created';
      readonly description?: string | undefined;
      readonly tags: readonly ModelTag[];
    } & ModelName &
      OriginTimes)
  | ({ readonly kind: 'model.updated'; readonly description: string } & ModelName & ChangeTime)
  /** The model keeps its versions, tags and aliases under the new name. */
  | ({ readonly kind: 'model.renamed'; readonly to: ModelName } & ModelName & ChangeTime)
  | ({ readonly kind: 'model.deleted' } & ModelName)
  | ({ readonly kind: 'model.tagSet' } & ModelName & ModelTag & ChangeTime)
  | ({ readonly kind: 'model.tagDeleted'; readonly key: string } & ModelName & ChangeTime)
  | ({
      readonly kind: 'modelVersion.created';
      readonly version: number;
      readonly source: string;
      /** Where the files are: `source` with `models:/…` resolved. */
      readonly storageLocation: string;
      readonly runId?: string | undefined;
      readonly runLink?: string | undefined;
      /** Id of the logged model that was registered. */
      readonly modelId?: string | undefined;
      readonly description?: string | undefined;
      readonly tags: readonly ModelTag[];
      /** None when absent. */
      readonly stage?: string | undefined;
    } & ModelName &
      OriginTimes)
  | ({
      readonly kind: 'modelVersion.updated';
      readonly version: number;
      readonly description: string | null;
    } & ModelName &
      ChangeTime)
  | ({ readonly kind: 'modelVersion.deleted'; readonly version: number } & ModelName)
  | ({
      readonly kind: 'modelVersion.staged';
      readonly version: number;
      /** None, Staging, Production or Archived. */
      readonly stage: string;
    } & ModelName &
      ChangeTime)
  | ({ readonly kind: 'modelVersion.tagSet'; readonly version: number } & ModelName &
      ModelTag &
      ChangeTime)
  | ({
      readonly kind: 'modelVersion.tagDeleted';
      readonly version: number;
      readonly key: string;
    } & ModelName &
      ChangeTime)
  | ({ readonly kind: 'alias.set'; readonly alias: string; readonly version: number } & ModelName &
      ChangeTime)
  | ({ readonly kind: 'alias.deleted'; readonly alias: string } & ModelName & ChangeTime)
  | {
      readonly kind: 'deployment.recorded';
      readonly name: string;
      /** Counts the deployments of this name from 1; part of the ref. */
      readonly number: number;
      /** Whole ref of the model version, as it is called now. */
      readonly modelVersion: string;
      /** Valid interval, ms since 1970; open when `until` is absent. */
      readonly from: number;
      readonly until?: number | undefined;
      /** Environment, endpoint, image digest, configuration and what else was said about it. */
      readonly attributes: JsonObject;
    }
  | {
      readonly kind: 'deployment.ended';
      readonly name: string;
      readonly number: number;
      readonly until: number;
    };
