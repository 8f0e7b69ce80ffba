import { expect, test } from 'vitest';
import { contentType, disposition } from './content-type.ts';

// What mlflow 3.17.2 answers for the same names, asked of it.
test.each([
  ['a.txt', 'text/plain'],
  ['model/MLmodel', 'text/plain'],
  ['a.csv', 'text/plain'],
  ['a.html', 'text/html'],
  ['a.tar.gz', 'application/x-tar'],
  ['a.tgz', 'application/x-tar'],
  ['a.csv.gz', 'text/csv'],
  ['a.json.bz2', 'application/json'],
  ['a.gz', 'application/octet-stream'],
  ['x', 'application/octet-stream'],
  ['.txt', 'application/octet-stream'],
  ['a.JPG', 'image/jpeg'],
  ['a.SVGZ', 'image/svg+xml'],
  ['a.webp', 'image/webp'],
  ['a.parquet', 'application/octet-stream'],
  ['model.pkl', 'application/octet-stream'],
  ['a.ipynb', 'text/plain'],
  ['b.PY', 'text/x-python'],
  ['.hidden.png', 'image/png'],
  ['weird.', 'application/octet-stream'],
  ['constructor', 'application/octet-stream'],
])('%s is sent as %s', (path, type) => {
  expect(contentType(path)).toBe(type);
});

test.each([
  ['data.bin', 'attachment; filename=data.bin'],
  ['a b.txt', 'attachment; filename="a b.txt"'],
  ["a'b.txt", "attachment; filename=a'b.txt"],
  ['a(1).txt', 'attachment; filename="a(1).txt"'],
  ['q"uote.txt', 'attachment; filename="q\\"uote.txt"'],
  ['bericht ä.txt', `attachment; filename="bericht a.txt"; filename*=UTF-8''bericht%20%C3%A4.txt`],
  ['日本語', "attachment; filename=download; filename*=UTF-8''%E6%97%A5%E6%9C%AC%E8%AA%9E"],
  ['日本語.txt', "attachment; filename=.txt; filename*=UTF-8''%E6%97%A5%E6%9C%AC%E8%AA%9E.txt"],
])('%s is downloaded as %s', (name, header) => {
  expect(disposition(name)).toBe(header);
});
