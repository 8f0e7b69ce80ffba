import type { JsonObject } from '../../../base/json.ts';
import type { Fact } from '../../../facts/facts.ts';
import type { RunRow } from '../../../tracking/index.ts';
import { invalidParameter } from '../errors.ts';
import { experimentRef, runRef } from '../lineage/refs.ts';
import { didFact, runStateOf, startOr, tagFacts } from '../lineage/run-facts.ts';
import { sourceAttributes } from '../lineage/source-code.ts';
import { mlflowOperation, tokeniseTags, userTag } from '../operation.ts';
import { type Answer, writeRunInfo } from '../tracking/answers.ts';
import type { CreateRun, RunOnly, UpdateRun } from '../tracking/wire.ts';
import {
  checkActiveExperiment,
  getActiveRun,
  getExperiment,
  getRun,
  tagMap,
  uniqueTags,
} from './define.ts';
import { below, inventName, nextRunId } from './names.ts';

const runNameTag = 'mlflow.runName';

type Created = {
  readonly run_id: string;
  readonly run_name: string;
  readonly experiment_id: string;
  readonly artifact_uri: string;
};

function createdName(body: CreateRun, invent: () => string): string {
  const tagged = tagMap(body.tags)[runNameTag];
  if (body.run_name && tagged && body.run_name !== tagged) {
    throw invalidParameter(
      `Both 'run_name' argument and 'mlflow.runName' tag are specified, but with different values (run_name='${body.run_name}', mlflow.runName='${tagged}').`,
    );
  }
  return body.run_name || tagged || invent();
}

/** All tags of a new run, with the one that names it. */
function createdTags(body: CreateRun, name: string): { key: string; value: string }[] {
  const tags = uniqueTags(body.tags).filter(({ key, value }) => key !== runNameTag || value !== '');
  return tags.some(({ key }) => key === runNameTag)
    ? tags
    : [...tags, { key: runNameTag, value: name }];
}

export const createRun = mlflowOperation<CreateRun, Answer, Created>({
  operation: 'runs/create',
  persons(body, tokenise) {
    const tags = tokeniseTags(body.tags, tokenise);
    const user_id = body.user_id ? tokenise(body.user_id) : body.user_id;
    if (tags === body.tags && user_id === body.user_id) return body;
    return {
      ...body,
      ...(tags === undefined ? {} : { tags }),
      ...(user_id === undefined ? {} : { user_id }),
    };
  },
  async decide(body, context) {
    const experiment = await getExperiment(body.experiment_id || '0', context);
    checkActiveExperiment(experiment);
    const random = context.random(22);
    const id = nextRunId(await context.state.tracking.newestRunId(), random.subarray(0, 16));
    const name = createdName(body, () => inventName(random.subarray(16)));
    const decided = {
      run_id: id,
      run_name: name,
      experiment_id: experiment.id,
      artifact_uri: below(experiment.artifactLocation, id, 'artifacts'),
    };
    const info = writeRunInfo({
      id,
      name,
      experimentId: experiment.id,
      user: body.user_id ?? '',
      status: 'RUNNING',
      startTime: body.start_time ?? 0,
      endTime: null,
      stage: 'active',
      artifactUri: decided.artifact_uri,
    });
    const tags = createdTags(body, name);
    return { decided, answer: { run: { info, data: { tags }, inputs: {} } } };
  },
  facts(message, decided, context) {
    const { workspace } = context;
    const run = decided.run_id;
    const ref = runRef(workspace, run);
    const tags = createdTags(message, decided.run_name);
    const byKey = tagMap(tags);
    const time = startOr(message.start_time ?? 0, context);
    const attributes: JsonObject = {
      name: decided.run_name,
      experiment: experimentRef(workspace, decided.experiment_id),
      ...sourceAttributes(byKey),
    };
    const facts: Fact[] = [
      {
        kind: 'run.created',
        run,
        experiment: decided.experiment_id,
        name: decided.run_name,
        user: message.user_id ?? '',
        startTime: message.start_time ?? 0,
        artifactUri: decided.artifact_uri,
        tags,
      },
      { kind: 'run.reported', run: ref, state: 'START', time },
      { kind: 'entity.described', ref, time, attributes },
      ...tagFacts(run, byKey, byKey, { workspace, time }),
    ];
    if (message.user_id && message.user_id !== byKey[userTag]) {
      facts.push(didFact(run, message.user_id, 'mlflow.user_id', { workspace, time }));
    }
    return facts;
  },
});

type Updated = {
  readonly name: string | null;
  readonly start_time: number;
  readonly end_time: number | null;
};

/** What an update changes of a run. */
function updated(run: RunRow, body: UpdateRun): RunRow {
  return {
    ...run,
    status: body.status ?? run.status,
    endTime: body.end_time ?? run.endTime,
    name: body.run_name || run.name,
  };
}

export const updateRun = mlflowOperation<UpdateRun, Answer, Updated>({
  operation: 'runs/update',
  async decide(body, context) {
    const run = await getActiveRun(body.run_id, context);
    const next = updated(run, body);
    const answer = { run_info: writeRunInfo(next) };
    const same =
      next.status === run.status && next.endTime === run.endTime && next.name === run.name;
    if (same) return { unchanged: answer };
    return {
      decided: {
        name: next.name === run.name ? null : next.name,
        start_time: run.startTime,
        end_time: next.endTime,
      },
      answer,
    };
  },
  facts(message, decided, context) {
    const { workspace, time } = context;
    const run = message.run_id;
    const ref = runRef(workspace, run);
    const { status, end_time: endTime } = message;
    const facts: Fact[] = [
      { kind: 'run.updated', run, status, endTime, name: decided.name ?? undefined },
    ];
    if (decided.name !== null) {
      facts.push(
        { kind: 'run.tagged', run, tags: [{ key: runNameTag, value: decided.name }] },
        { kind: 'entity.described', ref, time, attributes: { name: decided.name } },
      );
    }
    const state = status === undefined ? undefined : runStateOf(status);
    if (state === 'START') {
      facts.push({
        kind: 'run.reported',
        run: ref,
        state,
        time: startOr(decided.start_time, context),
      });
    } else if (state !== undefined) {
      facts.push({ kind: 'run.reported', run: ref, state, time: decided.end_time || time });
    }
    return facts;
  },
});

export const deleteRun = mlflowOperation<RunOnly, Record<string, never>, Record<string, never>>({
  operation: 'runs/delete',
  async decide(body, context) {
    const run = await getRun(body.run_id, context);
    return run.stage === 'deleted' ? { unchanged: {} } : { decided: {}, answer: {} };
  },
  facts: (message, _decided, { workspace, time }) => [
    { kind: 'run.deleted', run: message.run_id, time },
    { kind: 'entity.deleted', ref: runRef(workspace, message.run_id), time },
  ],
});

export const restoreRun = mlflowOperation<RunOnly, Record<string, never>, Record<string, never>>({
  operation: 'runs/restore',
  async decide(body, context) {
    const run = await getRun(body.run_id, context);
    return run.stage === 'active' ? { unchanged: {} } : { decided: {}, answer: {} };
  },
  facts: (message, _decided, { workspace, time }) => [
    { kind: 'run.restored', run: message.run_id, time },
    { kind: 'entity.restored', ref: runRef(workspace, message.run_id), time },
  ],
});
