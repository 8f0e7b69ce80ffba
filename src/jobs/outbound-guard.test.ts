import type { LookupAddress } from 'node:dns';
import { describe, expect, it } from 'vitest';
import { WherefromError } from '../base/errors.ts';
import { createOutboundGuard } from './outbound-guard.ts';
import { isPublicAddress } from './public-address.ts';

const answering = (...addresses: string[]) => {
  const found = addresses.map(
    (address): LookupAddress => ({ address, family: address.includes(':') ? 6 : 4 }),
  );
  return createOutboundGuard({ allow: ['lab.internal', '::1'], resolve: async () => found });
};

async function refusal(url: string, guard = answering('93.184.215.14')): Promise<WherefromError> {
  const thrown = await guard.check(url).catch((error: unknown) => error);
  expect(thrown).toBeInstanceOf(WherefromError);
  return thrown as WherefromError;
}

describe('isPublicAddress', () => {
  it.each([
    '8.8.8.8',
    '93.184.215.14',
    '100.63.255.255',
    '172.32.0.1',
    '2606:4700:4700::1111',
    '::ffff:8.8.8.8',
    '64:ff9b::8.8.8.8',
    '2002:808:808::1',
  ])('%s is public', (address) => expect(isPublicAddress(address)).toBe(true));

  it.each([
    '0.0.0.0',
    '10.0.0.1',
    '100.64.0.1',
    '127.0.0.1',
    '127.255.255.254',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.0.0.8',
    '192.168.1.1',
    '198.18.0.1',
    '203.0.113.9',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::127.0.0.1',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '::FFFF:169.254.169.254',
    '64:ff9b::10.0.0.1',
    '64:ff9b:1::1',
    '2002:7f00:1::',
    '2001:db8::1',
    '2001:0:53aa:64c:0:0:0:1',
    'fc00::1',
    'fd00:ec2::254',
    'fe80::1',
    'fe80::1%eth0',
    'fec0::1',
    'ff02::1',
    '',
    'localhost',
    '127.1',
  ])('%s is not', (address) => expect(isPublicAddress(address)).toBe(false));
});

describe('the guard', () => {
  it('takes an https URL of a public host, with the addresses that it resolved to', async () => {
    const { url, addresses } = await answering('93.184.215.14').check('https://example.org/x');
    expect(url.href).toBe('https://example.org/x');
    expect(addresses).toEqual([{ address: '93.184.215.14', family: 4 }]);
  });

  it('refuses a host when one of its addresses is not public', async () => {
    const guard = answering('93.184.215.14', '10.0.0.1');
    const { code, message } = await refusal('https://example.org/', guard);
    expect(code).toBe('invalid_message');
    expect(message).toContain("'example.org' resolves to 10.0.0.1");
  });

  it.each([
    ['https://127.1/', '127.0.0.1'],
    ['https://0x7f000001/', '127.0.0.1'],
    ['https://2130706433/', '127.0.0.1'],
    ['https://0177.0.0.1/', '127.0.0.1'],
    ['https://[::ffff:127.0.0.1]/', '::ffff:7f00:1'],
    ['https://[::1%25lo]/', ''],
    ['https://localhost/', ''],
    ['https://localhost./', ''],
  ])('refuses %s, however it is spelt', async (url, shown) => {
    const { message } = await refusal(url, createOutboundGuard({ allow: [] }));
    expect(message).toContain(shown);
  });

  it('takes what was allowed, also by http, and only that', async () => {
    const guard = answering('192.168.1.5');
    await expect(guard.check('http://lab.internal:8080/x')).resolves.toBeDefined();
    await expect(guard.check('http://LAB.internal/')).resolves.toBeDefined();
    await expect(guard.check('http://[::1]:9/')).resolves.toBeDefined();
    expect((await refusal('http://lab.internal.example.org/', guard)).message).toContain('scheme');
    expect((await refusal('https://sub.lab.internal/', guard)).message).toContain('non-public');
    expect((await refusal('ftp://lab.internal/', guard)).message).toContain('scheme');
  });

  it('says when a name cannot be resolved, which may pass', async () => {
    const guard = createOutboundGuard({
      allow: [],
      resolve: () => Promise.reject(new Error('getaddrinfo ENOTFOUND')),
    });
    const { message, detail } = await refusal('https://gone.example/', guard);
    expect(message).toContain("Cannot resolve Webhook URL hostname 'gone.example'");
    expect(detail.unresolved).toBe(true);
  });
});
