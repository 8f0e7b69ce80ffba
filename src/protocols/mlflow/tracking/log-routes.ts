import { isObject } from '../../../base/json.ts';
import { invalidParameter } from '../errors.ts';
import { logBatch, logMetric } from '../operations/metrics.ts';
import { deleteTag, logModel, logParam, setTag } from '../operations/tags.ts';
import type { RouteHelpers } from '../routes.ts';
import {
  checkBatchCounts,
  checkMetric,
  checkParam,
  checkParamsUnique,
  checkRunId,
  checkTag,
} from '../validate.ts';
import * as wire from './wire.ts';

/** A batch, checked in MLflow's order. */
function checkBatch(read: wire.LogBatch): wire.LogBatch {
  checkRunId(read.run_id);
  const { metrics = [], params = [], tags = [] } = read;
  for (let index = 0; index < metrics.length; index += 1) {
    const metric = metrics[index];
    if (metric !== undefined) checkMetric(metric, () => `metrics[${index}].`);
  }
  const checkedParams = params.map((param, index) => checkParam(param, `params[${index}].key`));
  const checkedTags = tags.map((tag, index) => checkTag(tag, `tags[${index}].key`));
  checkBatchCounts(metrics.length, params.length, tags.length);
  checkParamsUnique(params);
  return {
    ...read,
    ...(params.length === 0 ? {} : { params: checkedParams }),
    ...(tags.length === 0 ? {} : { tags: checkedTags }),
  };
}

const modelFields = ['artifact_path', 'flavors', 'utc_time_created', 'run_id'];

function checkModelJson(text: string): void {
  let model: unknown;
  try {
    model = JSON.parse(text);
  } catch {
    throw invalidParameter(
      `Malformed model info. \n ${text.slice(0, 1000)} \n is not a valid JSON.`,
    );
  }
  const missing = modelFields.filter((field) => !isObject(model) || !(field in model));
  if (missing.length > 0) {
    const names = missing.map((field) => `'${field}'`).join(', ');
    throw invalidParameter(`Model json is missing mandatory fields: {${names}}`);
  }
}

/** The endpoints that log metrics, parameters and tags of runs. */
export function registerLogRoutes(helpers: RouteHelpers): void {
  helpers.write('POST', '/mlflow/runs/log-metric', {
    message: wire.logMetricMessage,
    operation: logMetric,
    body(read) {
      checkMetric(read, () => '');
      return read;
    },
  });
  helpers.write('POST', '/mlflow/runs/log-batch', {
    message: wire.logBatchMessage,
    operation: logBatch,
    body: checkBatch,
  });
  helpers.write('POST', '/mlflow/runs/log-parameter', {
    message: wire.logParamMessage,
    operation: logParam,
    body: (read) => ({ ...read, ...checkParam(read, 'key') }),
  });
  helpers.write('POST', '/mlflow/runs/set-tag', {
    message: wire.setTagMessage,
    operation: setTag,
    body: (read) => ({ ...read, ...checkTag(read, 'key') }),
  });
  helpers.write('POST', '/mlflow/runs/delete-tag', {
    message: wire.deleteTagMessage,
    operation: deleteTag,
    body: (read) => read,
  });
  helpers.write('POST', '/mlflow/runs/log-model', {
    message: wire.logModelMessage,
    operation: logModel,
    body(read) {
      checkModelJson(read.model_json);
      return read;
    },
  });
}
