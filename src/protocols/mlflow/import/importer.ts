import { isObject } from '../../../base/json.ts';
import { limits } from '../../../base/limits.ts';
import { accept, acceptPages, inExperiment, tellProgress } from './accept-pages.ts';
import { bringEvaluation, bringWebhooks } from './bring-evaluation.ts';
import { bringFiles, type Owner } from './bring-files.ts';
import { bringReview } from './bring-review.ts';
import { bringTraces } from './bring-traces.ts';
import type { ImportContext, ImportOptions } from './context.ts';
import type { ImportExperiment, ImportLoggedModel, ImportMetrics, ImportRun } from './messages.ts';
import { createPlaces } from './places.ts';
import { createTally, type ImportReport } from './report.ts';
import type { SourceModel } from './source.ts';
import type { ImportMessage, ImportResult } from './target.ts';

/**
 * Brings everything that a source holds. What is here already is passed over, so an import that was
 * broken off goes on where it stopped when it is started again.
 * @throws when source or target fail for good; what is only refused stands in the report.
 */
export async function runImport(options: ImportOptions): Promise<ImportReport> {
  const tally = createTally();
  const places = createPlaces(options.base);
  const context: ImportContext = { ...options, tally, places, experiments: new Map() };
  await bringExperiments(context);
  await bringRuns(context);
  await bringLoggedModels(context);
  await bringModels(context);
  // Traces name runs, logged models and prompts.
  await bringTraces(context);
  await bringEvaluation(context);
  // Queues hold traces.
  await bringReview(context);
  await bringWebhooks(context);
  for (const each of await options.source.left()) tally.leave(each);
  return tally.report();
}

async function bringExperiments(context: ImportContext): Promise<void> {
  const { source, tally, places } = context;
  const all = await source.experiments();
  const above = Math.max(
    0,
    ...all.map(({ experiment_id: id }) => Number(id)).filter((id) => id < 1e12),
  );
  for (const experiment of all) {
    const { artifact_location: location = '', ...rest } = experiment;
    const moves = context.files && places.readable(location);
    const body: ImportExperiment = {
      ...rest,
      ...(moves ? {} : { artifact_location: location }),
      ids_above: above,
    };
    const [result] = await accept(context, [{ import: 'experiment', body }]);
    const { experiment_id: from, name } = experiment;
    const what = `experiment ${from} (${name})`;
    if (!tally.result('experiments', what, result)) continue;
    const answer = isObject(result?.answer) ? result.answer : {};
    const id = String(answer.experiment_id);
    context.experiments.set(from, id);
    if (moves) places.move(location, `mlflow-artifacts:/${id}`);
    if (id !== from) tally.note(`Experiment ${from} (${name}) is ${id} here.`);
    else if (answer.name !== name)
      tally.note(`Experiment ${id} (${name}) is named ${String(answer.name)} here.`);
  }
  tellProgress(context, 'experiments', all.length);
}

async function bringRuns(context: ImportContext): Promise<void> {
  const { source, target, tally, places } = context;
  for await (const page of source.runs()) {
    const bodies: ImportRun[] = [];
    const owners = new Map<string, Owner>();
    for (const run of page) {
      const body = inExperiment(run, `run ${run.run_id}`, context);
      if (body === undefined) continue;
      const from = run.artifact_uri ?? '';
      if (context.files && places.here(from) === from && places.readable(from))
        places.move(from, `mlflow-artifacts:/${body.experiment_id}/${body.run_id}/artifacts`);
      const here = places.here(from);
      owners.set(body.run_id, { what: `run ${body.run_id}`, from, here });
      bodies.push({ ...body, artifact_uri: here });
    }
    const results = await acceptPages(context, 'run', bodies);
    const brought = bodies.filter((body, index) =>
      tally.result('runs', `run ${body.run_id}`, results[index]),
    );
    const ids = brought.map(({ run_id }) => run_id);
    const old = bodies.flatMap(({ run_id }, index) =>
      results[index]?.outcome === 'there' ? [run_id] : [],
    );
    // Also of runs that got something new: they may have their points already.
    const known = await target.known({ runs: old.length === 0 ? [] : ids });
    const failed = (run: string, reason: string): void =>
      tally.trouble(`metrics of run ${run}`, reason);
    const points = source.points(brought, known.runs, failed);
    const sent = await sendPoints(context, points, 'metric points', () =>
      tellProgress(context, 'runs', source.totals.runs),
    );
    countThere('metric points', known.runs, sent, context);
    await bringFiles(
      ids.flatMap((id) => owners.get(id) ?? []),
      context,
    );
    tellProgress(context, 'runs', source.totals.runs);
  }
}

const pointsIn = ({ series = [] }: ImportMetrics): number =>
  series.reduce((sum, { timestamps = [] }) => sum + timestamps.length, 0);

/** Points of owners of which nothing had to be sent. */
function countThere(
  thing: 'metric points' | 'model metric points',
  known: Readonly<Record<string, { readonly points: number }>>,
  sent: ReadonlySet<string>,
  { tally }: ImportContext,
): void {
  for (const [id, { points }] of Object.entries(known))
    if (!sent.has(id)) tally.count(thing, 'there', points);
}

/**
 * Sends points; while one request is on its way the next is read.
 * @returns ids of the runs and models that they are of.
 */
async function sendPoints(
  context: ImportContext,
  pieces: AsyncIterable<ImportMetrics>,
  thing: 'metric points' | 'model metric points',
  told: () => void,
): Promise<ReadonlySet<string>> {
  const owners = new Set<string>();
  let batch: ImportMetrics[] = [];
  let count = 0;
  let underWay: Promise<void> = Promise.resolve();
  const send = async (sent: readonly ImportMetrics[]): Promise<void> => {
    const results = await accept(
      context,
      sent.map((body) => ({ import: 'metrics', body })),
    );
    for (const [index, body] of sent.entries())
      context.tally.result(thing, `metrics of run ${body.run_id}`, results[index], pointsIn(body));
    told();
  };
  const next = async (): Promise<void> => {
    await underWay;
    underWay = send(batch);
    // Told when it is waited for; until then it must not count as unhandled.
    underWay.catch(() => undefined);
    batch = [];
    count = 0;
  };
  for await (const piece of pieces) {
    batch.push(piece);
    owners.add(piece.run_id);
    for (const { model_id } of piece.series ?? []) if (model_id) owners.add(model_id);
    count += pointsIn(piece);
    const full = batch.length >= limits.importRequestMessagesMax;
    if (full || count >= limits.importPointsPerRequestMax) await next();
  }
  await next();
  await underWay;
  return owners;
}

async function bringLoggedModels(context: ImportContext): Promise<void> {
  const { source, target, tally, places } = context;
  for await (const page of source.loggedModels()) {
    const bodies: ImportLoggedModel[] = [];
    const owners: Owner[] = [];
    for (const model of page) {
      const what = `logged model ${model.model_id}`;
      const body = inExperiment(model, what, context);
      if (body === undefined) continue;
      const from = model.artifact_uri;
      const here = places.here(from);
      bodies.push({ ...body, artifact_uri: here });
      const expected = model.status === 'LOGGED_MODEL_READY' && model.lifecycle_stage !== 'deleted';
      owners.push({ what, from, here, expected });
    }
    // Its files first: what they say becomes part of the model.
    await bringFiles(owners, context);
    const results = await acceptPages(context, 'logged-model', bodies);
    const brought = bodies.filter((body, index) =>
      tally.result('logged models', `logged model ${body.model_id}`, results[index]),
    );
    const known = await target.known({ models: brought.map(({ model_id }) => model_id) });
    const points = source.modelPoints(brought, known.models);
    const sent = await sendPoints(context, points, 'model metric points', () =>
      tellProgress(context, 'logged models', source.totals.loggedModels),
    );
    countThere('model metric points', known.models, sent, context);
    tellProgress(context, 'logged models', source.totals.loggedModels);
  }
}

async function bringModels(context: ImportContext): Promise<void> {
  const { source } = context;
  for await (const each of source.registeredModels()) {
    await bringModel(each, context);
    tellProgress(context, 'registered models', source.totals.registeredModels);
  }
}

async function bringModel(
  { model, versions, aliases }: SourceModel,
  context: ImportContext,
): Promise<void> {
  const { tally, places } = context;
  const what = `registered model ${model.name}`;
  const [result] = await accept(context, [{ import: 'registered-model', body: model }]);
  if (!tally.result('registered models', what, result)) {
    if (versions.length > 0)
      tally.trouble(`the versions of ${model.name}`, 'Their model was not brought.');
    return;
  }
  const answer = isObject(result?.answer) ? result.answer : {};
  if (answer.gone === true) {
    tally.note(`Registered model ${model.name} was deleted or renamed here since it was brought.`);
    return;
  }
  const sent = versions.map((version): ImportMessage => {
    const source = places.here(version.source ?? '');
    const storage = places.here(version.storage_location ?? version.source ?? '');
    const moved = version.deleted ? {} : { source, storage_location: storage };
    return { import: 'model-version', body: { ...version, ...moved } };
  });
  for (let from = 0; from < sent.length; from += limits.importRequestMessagesMax) {
    const page = sent.slice(from, from + limits.importRequestMessagesMax);
    const results = await accept(context, page);
    for (const [index, one] of results.entries())
      tally.result(
        'model versions',
        `version ${versions[from + index]?.version} of ${model.name}`,
        one,
      );
  }
  const named = aliases.map((body): ImportMessage => ({ import: 'alias', body }));
  const results = await accept(context, named);
  for (const [index, one] of results.entries())
    tally.result('aliases', `alias ${aliases[index]?.alias} of ${model.name}`, one);
  if (result?.outcome === 'there' || answer.changed === true)
    await takeAway({ model, versions, aliases }, context);
}

/** What the source had when the model was brought before, and has no more. */
async function takeAway(
  { model: { name }, versions, aliases }: SourceModel,
  context: ImportContext,
): Promise<void> {
  const { registered } = await context.target.known({ registered: [name] });
  const { versions: known = [], aliases: names = [] } = registered[name] ?? {};
  const there = new Set(versions.map(({ version }) => version));
  const gone = known.filter(([version]) => !there.has(version));
  const sent = gone.map(([version, creation_timestamp]): ImportMessage => {
    const body = { name, version, creation_timestamp, deleted: true };
    return { import: 'model-version', body };
  });
  for (const [index, one] of (await accept(context, sent)).entries())
    if (isChanged(one))
      context.tally.result('model versions', `version ${gone[index]?.[0]} of ${name}`, one);
  const lost = names.filter((alias) => !aliases.some((each) => each.alias === alias));
  const removed = lost.map((alias): ImportMessage => {
    const body = { name, alias, version: '0', removed: true };
    return { import: 'alias', body };
  });
  for (const [index, one] of (await accept(context, removed)).entries())
    if (isChanged(one)) context.tally.result('aliases', `alias ${lost[index]} of ${name}`, one);
}

/** False for what is here only, which is nothing to count. */
const isChanged = ({ outcome, answer }: ImportResult): boolean =>
  outcome === 'brought' || (isObject(answer) && answer.kept !== undefined);
