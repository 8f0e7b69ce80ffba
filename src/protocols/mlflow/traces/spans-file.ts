import { WherefromError } from '../../../base/errors.ts';
import { isObject, list } from '../../../base/json.ts';
import { limits } from '../../../base/limits.ts';
import type { StoredBlob } from '../../../blobs/blobs.ts';
import {
  type OtlpSpan,
  readSpanDictionaries,
  spanOfDictionary,
  type TraceRow,
  traceKeys,
} from '../../../traces/index.ts';
import type { ProtocolServices } from '../../services.ts';
import { otelTraceId } from '../import/trace-ids.ts';
import type { Call } from '../routes.ts';
import { artifactPath, joinPath } from '../tracking/artifact-path.ts';

/** The file in which clients before 3.4 bring the spans of a trace. Source: mlflow/tracing/utils/artifact_utils.py. */
const spansFile = /(?:^|\/)traces\/([^/]+)\/artifacts\/traces\.json$/;

interface Within {
  readonly call: Call;
  readonly services: ProtocolServices;
}

/**
 * Takes the spans in the file that an older client put at `path`, unless they are there already, so that
 * they are searched and in the lineage like all others. Any other file, or one that is no such JSON, is
 * only a file.
 */
export async function takeSpansOfFile(
  path: string,
  stored: StoredBlob,
  { call, services }: Within,
): Promise<void> {
  const id = spansFile.exec(path)?.[1];
  if (id === undefined || stored.bytes > limits.otlpBodyBytesMax) return;
  const found = await findTrace(id, path, { call, services });
  if (found === undefined) return;
  const content = await services.blobs.read(stored.digest, limits.otlpBodyBytesMax);
  const spans = spansOf(content.toString('utf8'), id);
  if (spans === undefined) services.count('warned', 'mlflow');
  if (spans === undefined || spans.length <= found.spans) return;
  try {
    await take(spans, found.experiment, { call, services });
  } catch (thrown) {
    // Spans that OTLP does not allow: the file is kept all the same, as MLflow does.
    const known = thrown instanceof WherefromError && thrown.code === 'invalid_message';
    if (!known) throw thrown;
    services.count('warned', 'mlflow');
  }
}

async function take(
  spans: readonly OtlpSpan[],
  experiment: string,
  { call: { principal, workspace }, services }: Within,
): Promise<void> {
  for (let from = 0; from < spans.length; from += limits.otlpSpansPerRequestMax) {
    const some = spans.slice(from, from + limits.otlpSpansPerRequestMax);
    await services.takeSpans({ spans: some, experiment, workspace, principal: principal.id });
  }
}

/** The trace whose own place the path is in, with how many spans of it are known. */
function findTrace(
  id: string,
  path: string,
  { call, services }: Within,
): Promise<{ readonly experiment: string; readonly spans: number } | undefined> {
  return services.read(async ({ traces }) => {
    const row: TraceRow | undefined = await traces.find(call.workspace, id);
    if (row === undefined || row.experiment === null) return undefined;
    const location = await traces.findTag(row.key, traceKeys.artifactLocation);
    const root = location === undefined ? undefined : artifactPath(location);
    if (root === undefined || joinPath(root, 'traces.json') !== path) return undefined;
    return { experiment: row.experiment, spans: await traces.countSpans(row.key) };
  });
}

/** The spans in the text of such a file; undefined when it is none. */
function spansOf(text: string, id: string): OtlpSpan[] | undefined {
  const traceId = otelTraceId(id);
  if (traceId === undefined) return undefined;
  try {
    const data = readSpanDictionaries(text);
    const spans = isObject(data) ? list(data.spans) : [];
    return spans.flatMap((each) => spanOfDictionary(each, { traceId, id }) ?? []);
  } catch {
    return undefined;
  }
}
