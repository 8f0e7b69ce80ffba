import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { otlpSpan, startTracesServer } from '../../../testing/traces-server.ts';

let server: Awaited<ReturnType<typeof startTracesServer>>;
beforeEach(async () => {
  server = await startTracesServer();
});
afterEach(() => server.close());

const experiment = { experiment_id: '0' };
const post = async (path: string, body: object) => (await server.call('POST', path, body)).body;
const get = async (path: string, query: Record<string, string>) =>
  (await server.call('GET', `${path}?${new URLSearchParams(query)}`)).body;
const trace = async (number: number): Promise<string> => {
  await server.exportSpans([otlpSpan({ trace: number, span: 1 })], experimentHeader);
  return `tr-${number.toString(16).padStart(32, '0')}`;
};
const experimentHeader = { experiment: '0' };
const size = () => server.store.read(async ({ ledger }) => (await ledger.head()).size);

const issue = (more: object = {}) =>
  post('issues', { ...experiment, name: 'rude', description: 'It is rude.', ...more });
const question = (name: string, input: object = { text: {} }) =>
  post('label-schemas/create', { ...experiment, name, type: 'FEEDBACK', input });
const queue = async (more: object = {}) =>
  (
    await post('review-queues/create', {
      ...experiment,
      name: 'Weekly',
      queue_type: 'CUSTOM',
      ...more,
    })
  ).review_queue;

describe('issues', () => {
  test('come gravest first, with the number of traces that they are in, page by page', async () => {
    await issue({ name: 'none' });
    await issue({ name: 'high', severity: 'high' });
    const low = (await issue({ name: 'low', severity: 'low' })).issue.issue_id;
    for (const number of [1, 2]) {
      await post(`traces/${await trace(number)}/assessments`, {
        assessment: { assessment_name: low, issue: { issue_name: 'low' } },
      });
    }
    const page = { ...experiment, include_trace_count: true, max_results: 2 };
    const first = await post('issues/search', page);
    expect(first.issues).toMatchObject([
      { name: 'high', trace_count: 0 },
      { name: 'low', trace_count: 2 },
    ]);
    const second = await post('issues/search', { ...page, page_token: first.next_page_token });
    expect(second).toEqual({ issues: [expect.objectContaining({ name: 'none' })] });
  });

  test('who found one is a token in the record; the same change twice is one entry', async () => {
    const { issue_id: id } = (await issue({ created_by: 'alice' })).issue;
    expect(await server.newest()).not.toContain('alice');
    const change = () =>
      server.call('PATCH', `issues/${id}`, { issue_id: id, status: 'resolved', severity: 'low' });
    expect((await change()).body.issue).toMatchObject({ status: 'resolved', created_by: 'alice' });
    const before = await size();
    await change();
    expect(await size()).toBe(before);
  });

  test.each([
    [{ status: 'open' }, "'open' is not a valid IssueStatus"],
    [{ severity: 'worst' }, "'worst' is not a valid IssueSeverity"],
    [{ source_run_id: 'none' }, 'Run with id=none not found'],
  ])('%j is refused', async (more, message) => {
    expect(await issue(more)).toMatchObject({ message });
  });
});

describe('label schemas', () => {
  test('the question that every experiment has comes last on the pages, and cannot be changed', async () => {
    await question('one');
    await question('two');
    const names: string[] = [];
    let token: string | undefined = '';
    while (token !== undefined) {
      const page = await get('label-schemas/list', {
        ...experiment,
        max_results: '2',
        page_token: token,
      });
      names.push(...page.label_schemas.map(({ name }: { name: string }) => name));
      token = page.next_page_token;
    }
    expect(names.sort()).toEqual(['Feedback', 'one', 'two']);
    const { schema_id } = (
      await get('label-schemas/get-by-name', { ...experiment, name: 'Feedback' })
    ).label_schema;
    expect((await get('label-schemas/get', { schema_id })).label_schema).toMatchObject({
      is_default: true,
      input: { text: {} },
    });
    for (const method of ['PATCH', 'DELETE'] as const) {
      const path = `label-schemas/${method === 'PATCH' ? 'update' : 'delete'}`;
      expect((await server.call(method, path, { schema_id })).status).toBe(400);
    }
  });

  test('keep the way in which they are answered', async () => {
    const { schema_id } = (await question('one', { categorical: { options: ['a'] } })).label_schema;
    const change = (input: object) =>
      server.call('PATCH', 'label-schemas/update', { schema_id, input });
    expect((await change({ categorical: { options: ['b'] } })).status).toBe(200);
    expect((await change({ categorical: { options: ['b'], multi_select: true } })).status).toBe(
      400,
    );
    expect((await change({ text: {} })).body.message).toMatch(/input type cannot be changed/);
    expect(await question('two', { text: {}, numeric: {} })).toMatchObject({
      error_code: 'INVALID_PARAMETER_VALUE',
    });
  });
});

describe('review queues', () => {
  test('persons are tokens in the record, and come back by name and in its order', async () => {
    const made = await queue({ users: ['Zoe@x.org', 'amy@x.org'] });
    expect(await server.newest()).not.toMatch(/zoe|amy/i);
    expect(made.users).toEqual(['amy@x.org', 'zoe@x.org']);
    const own = await post('review-queues/get-or-create-user', {
      ...experiment,
      user: 'Zoe@x.org',
    });
    expect(await server.newest()).not.toMatch(/zoe/i);
    expect(own.review_queue).toMatchObject({ name: 'zoe@x.org', created_by: 'zoe@x.org' });
    const mine = await get('review-queues/list', { ...experiment, user: 'ZOE@x.org' });
    expect(mine.review_queues).toHaveLength(2);
    expect(await get('review-queues/list', { ...experiment, user: 'nobody' })).toEqual({});
    const named = await get('review-queues/get-by-name', { ...experiment, name: 'Zoe@x.org' });
    expect(named.review_queue.queue_id).toBe(own.review_queue.queue_id);
  });

  test("a person's queue and another one never share a name", async () => {
    await queue({ name: 'amy' });
    expect(
      await post('review-queues/get-or-create-user', { ...experiment, user: 'Amy' }),
    ).toMatchObject({
      error_code: 'RESOURCE_ALREADY_EXISTS',
    });
    await post('review-queues/get-or-create-user', { ...experiment, user: 'zoe' });
    const refused = { ...experiment, name: 'ZOE', queue_type: 'CUSTOM' };
    expect(await post('review-queues/create', refused)).toMatchObject({
      error_code: 'RESOURCE_ALREADY_EXISTS',
    });
  });

  test('who settled an item first stays known; a deleted trace leaves its queues', async () => {
    const { queue_id } = await queue();
    const items = [await trace(1), await trace(2)];
    await post('review-queues/items/add', { queue_id, item_ids: items });
    const settle = (more: object) =>
      post('review-queues/items/set-status', { queue_id, item_id: items[0], ...more });
    await settle({ status: 'COMPLETE', completed_by: 'amy' });
    const again = await settle({ status: 'COMPLETE', completed_by: 'zoe' });
    expect(again.item).toMatchObject({ completed_by: 'amy' });
    const reopened = await settle({ status: 'PENDING' });
    expect(reopened.item).not.toHaveProperty('completed_by');
    expect(reopened.item).not.toHaveProperty('completed_time_ms');
    await post('traces/delete-traces', { ...experiment, request_ids: [items[1]] });
    const left = await get('review-queues/items/list', { queue_id });
    expect(left.items.map(({ item_id }: { item_id: string }) => item_id)).toEqual([items[0]]);
  });
});

test('comes out the same from the ledger alone', async () => {
  await issue({ root_causes: ['model'], categories: ['tone'], severity: 'high' });
  const { schema_id } = (await question('one')).label_schema;
  await question('two');
  await server.call('PATCH', 'label-schemas/update', { schema_id, name: 'renamed' });
  const { queue_id } = await queue({ users: ['amy'], schema_ids: [schema_id] });
  await post('review-queues/update', { queue_id, new_owner: 'zoe', name: 'Monthly' });
  await post('review-queues/items/add', { queue_id, item_ids: [await trace(1)] });
  await server.call('DELETE', 'label-schemas/delete', { schema_id });
  await server.rebuild();
});
