import { expect, test } from 'vitest';
import { guides } from '../../web/src/screens/home/guides.ts';

test.each([
  ['http://localhost:4747', 'http://localhost:4747', '/api/v1/lineage'],
  ['https://a.example/lineage', 'https://a.example/lineage/', '/lineage/api/v1/lineage'],
])('at %s OpenLineage is pointed at %s, which its client joins to a path', (server, url, path) => {
  const guide = guides.find(({ title }) => title === 'OpenLineage');
  const [, given = ''] = /OPENLINEAGE_URL=(\S+)\n/.exec(guide?.commands(server) ?? '') ?? [];
  expect(given).toBe(url);
  expect(new URL('api/v1/lineage', given).pathname).toBe(path);
});
