/** Predictions in batches of 1,000 with 30 features, and what each takes on disk. */
import { join } from 'node:path';
import type { Figure, MeasureContext } from '../figures.ts';
import { type CreatedRun, post } from '../http.ts';
import type { LoadRequest } from '../load.ts';
import { directoryBytes, type MeasuredServer, startWherefrom } from '../server.ts';
import { measureLoad } from './load-figure.ts';

const perRequest = 1_000;
const featureCount = 30;

/** Distinct feature vectors; they are used in turn, as one applicant may be scored again. */
const vectorCount = 20_000;

export async function measurePredictions(context: MeasureContext): Promise<Figure[]> {
  const { effort, log } = context;
  const data = join(context.scratch, 'predictions');
  let server = await startWherefrom({ data });
  const figures: Figure[] = [];
  try {
    await register(server);
    // A stopped server has folded its write-ahead log into the store.
    await server.stop();
    const bytesBefore = directoryBytes(data);
    server = await startWherefrom({ data });
    let sent = 0;
    const make = predictionBatches();
    const next = (): LoadRequest => {
      sent += perRequest;
      return make();
    };
    for (const connections of [1, 4]) {
      log(`wherefrom: predictions, ${connections} connections`);
      const load = { measure: 'predictions, 1,000 a request', system: 'wherefrom' } as const;
      const what = { server, connections, effort, next, itemsPerRequest: perRequest };
      figures.push(await measureLoad({ ...load, ...what }));
    }
    await server.stop();
    const value = (directoryBytes(data) - bytesBefore) / sent;
    const note = `${featureCount} features, ${sent} predictions`;
    figures.push({
      kind: 'value',
      measure: 'bytes kept for a prediction',
      system: 'wherefrom',
      value,
      unit: 'bytes',
      note,
    });
  } finally {
    await server.stop();
  }
  return figures;
}

async function register({ url }: MeasuredServer): Promise<void> {
  const api = `${url}/api/2.0/mlflow`;
  await post(`${api}/registered-models/create`, '{"name":"bench"}');
  const created = await post<CreatedRun>(`${api}/runs/create`, '{"experiment_id":"0"}');
  const { run_id } = created.run.info;
  const source = `mlflow-artifacts:/0/${run_id}/artifacts/model`;
  await post(`${api}/model-versions/create`, JSON.stringify({ name: 'bench', source, run_id }));
}

function predictionBatches(): () => LoadRequest {
  const random = createRandom(7);
  const vectors = Array.from({ length: vectorCount }, () => features(random));
  let count = 0;
  return () => {
    const records: string[] = [];
    const time = new Date().toISOString();
    for (let i = 0; i < perRequest; i += 1) {
      count += 1;
      const score = Math.round(random() * 1e6) / 1e6;
      const decision = score > 0.5 ? 'refused' : 'approved';
      records.push(
        `{"id":"bench-${count}","time":"${time}","modelVersion":"bench@1","features":${vectors[count % vectorCount]},"output":{"score":${score}},"decision":"${decision}"}`,
      );
    }
    const body = `{"predictions":[${records.join(',')}]}`;
    return { method: 'POST', path: '/api/wherefrom/v1/predictions', body };
  };
}

/** Numbers, whole numbers and words, a third of each, as tabular models have them. */
function features(random: () => number): string {
  const words = ['own', 'rent', 'free', 'skilled', 'unskilled', 'management'];
  const members = Array.from({ length: featureCount }, (_, i) => {
    if (i % 3 === 0) return `"amount_${i}":${(random() * 20_000).toFixed(2)}`;
    if (i % 3 === 1) return `"count_${i}":${Math.floor(random() * 60)}`;
    return `"category_${i}":"${words[Math.floor(random() * words.length)]}"`;
  });
  return `{${members.join(',')}}`;
}

/** The same numbers in every run of the benchmark. Source: mulberry32, public domain. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
