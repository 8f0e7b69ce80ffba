import { expect, test } from 'vitest';
import { describeRequest } from './request-log.ts';

test('a request is logged without its query, where links carry their right', () => {
  const request = { method: 'PUT', url: '/signed/part?token=abc', host: 'h:1', ip: '::1' };
  expect(describeRequest(request)).toEqual({
    method: 'PUT',
    url: '/signed/part',
    host: 'h:1',
    remoteAddress: '::1',
  });
});
