import { BlockList, isIP } from 'node:net';

/** What is not reachable from everywhere, or not one host. Source: IANA special-purpose registries, RFC 6890. */
const closedIpv4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
];

/** The same within 2000::/3, outside of which no address of IPv6 is public. */
const closedIpv6 = ['2001::/23', '2001:db8::/32', '3fff::/20'];

const closed = new BlockList();
for (const [type, ranges] of [
  ['ipv4', closedIpv4],
  ['ipv6', closedIpv6],
] as const) {
  for (const range of ranges) {
    const [network = '', prefix] = range.split('/');
    closed.addSubnet(network, Number(prefix), type);
  }
}

/**
 * True for an address of the public Internet. An IPv6 address that carries an IPv4 one (mapped, 6to4,
 * NAT64) is judged by that one. What is not understood is not public.
 */
export function isPublicAddress(address: string): boolean {
  const version = isIP(address);
  if (version === 4) return !closed.check(address, 'ipv4');
  if (version !== 6) return false;
  const groups = groupsOf(address);
  if (groups === undefined) return false;
  const carried = carriedIpv4(groups);
  if (carried !== undefined) return isPublicAddress(carried);
  const isGlobalUnicast = ((groups[0] ?? 0) & 0xe000) === 0x2000;
  return isGlobalUnicast && !closed.check(address, 'ipv6');
}

/** The eight groups of 16 bits; undefined with a zone, which only local addresses have. */
function groupsOf(address: string): number[] | undefined {
  if (!URL.canParse(`http://[${address}]`)) return undefined;
  // The URL parser writes dotted tails as groups.
  const [head = '', tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::');
  const read = (part: string | undefined): number[] =>
    part ? part.split(':').map((group) => Number.parseInt(group, 16)) : [];
  const first = read(head);
  const last = read(tail);
  return [...first, ...new Array<number>(8 - first.length - last.length).fill(0), ...last];
}

function carriedIpv4(groups: readonly number[]): string | undefined {
  const dotted = (at: number): string => {
    const high = groups[at] ?? 0;
    const low = groups[at + 1] ?? 0;
    return [high >> 8, high & 255, low >> 8, low & 255].join('.');
  };
  const starts = (...prefix: number[]): boolean =>
    prefix.every((group, index) => groups[index] === group);
  if (starts(0, 0, 0, 0, 0, 0xffff)) return dotted(6);
  if (starts(0x64, 0xff9b, 0, 0, 0, 0)) return dotted(6);
  if (starts(0x2002)) return dotted(1);
  return undefined;
}
