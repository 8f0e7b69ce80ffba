import { isObject, list, text } from '../../../base/json.ts';
import type { RestClient } from './rest-client.ts';

const version2 = '/api/2.0/mlflow';
type Json = Record<string, unknown>;

/** All items of a search, page by page. */
export async function* searchPages(
  client: RestClient,
  path: string,
  search: {
    readonly body: Json;
    readonly items: string;
    readonly get?: boolean;
    readonly api?: string;
  },
): AsyncIterable<readonly Json[]> {
  const { api = version2 } = search;
  for (let token: string | undefined; ; ) {
    const body = { ...search.body, ...(token === undefined ? {} : { page_token: token }) };
    const answer = search.get
      ? await client.get(
          `${api}/${path}`,
          Object.fromEntries(Object.entries(body).map(([name, value]) => [name, String(value)])),
        )
      : await client.post(`${api}/${path}`, body);
    const items = list(answer[search.items]).filter(isObject);
    if (items.length > 0) yield items;
    token = text(answer.next_page_token);
    if (token === undefined) return;
  }
}
