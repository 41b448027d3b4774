/**
 * Addresses that a tenant's upstream may have. A tenant's word must not make the deployment call its own network: https to a
 * public host, and in development also loopback by http. A name may still resolve to a private address, at once or later: a
 * Worker can neither resolve it first nor pin what it resolved.
 */

/** What is wrong with the address, to stand behind its name; undefined where it may be called. */
export function addressFault(address: string, { development }: { development: boolean }): string | undefined {
  const url = URL.parse(address);
  if (!url) return 'is not a URL';
  const { protocol, username, password, hash } = url;
  if (protocol !== 'https:' && protocol !== 'http:') return 'is not an https URL';
  if (username !== '' || password !== '') return 'has credentials in it';
  if (hash !== '') return 'has a fragment';
  // The parser has brought every spelling of an IPv4 address to its dotted form, and names to lower case.
  const host = url.hostname.replace(/\.$/, '');
  if (development) {
    return protocol === 'https:' || isLoopback(host) ? undefined : 'must be https, or http to this machine';
  }
  if (protocol !== 'https:') return 'must be https';
  return isPublic(host) ? undefined : 'is not at a public address';
}

/** Names that stand for this machine or the network around it (RFC 6761, RFC 6762, RFC 8375, and custom). */
const LOCAL_NAME = /(?:^|\.)(?:localhost|local|internal|intranet|lan|home|corp|private|home\.arpa)$/;
const IPV4 = /^\d+\.\d+\.\d+\.\d+$/;

function isLoopback(host: string): boolean {
  if (IPV4.test(host)) return host.startsWith('127.');
  return host === '[::1]' || /(?:^|\.)localhost$/.test(host);
}

function isPublic(host: string): boolean {
  if (IPV4.test(host)) {
    const ip = numberOf(host);
    return !PRIVATE_IPV4.some(([network, bits]) => sameNetwork(ip, numberOf(network), bits));
  }
  if (host.startsWith('[')) return isPublicIpv6(groupsOf(host.slice(1, -1)));
  // A name of one label is a machine of the network around us.
  return host.includes('.') && !LOCAL_NAME.test(host);
}

/** Special-purpose networks (IANA), and the one host of a cloud whose metadata service has a public address. */
const PRIVATE_IPV4: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['168.63.129.16', 32],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
];

function numberOf(ipv4: string): number {
  return ipv4.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}

function sameNetwork(ip: number, network: number, bits: number): boolean {
  const size = 2 ** (32 - bits);
  return Math.floor(ip / size) === Math.floor(network / size);
}

/** The eight groups of an IPv6 address as the parser writes it: in hexadecimal, with at most one `::`. */
function groupsOf(ipv6: string): number[] {
  const [front = [], back = []] = ipv6.split('::').map((half) =>
    half
      .split(':')
      .filter((group) => group !== '')
      .map((group) => Number.parseInt(group, 16)),
  );
  return [...front, ...Array<number>(8 - front.length - back.length).fill(0), ...back];
}

/**
 * Only global unicast, 2000::/3: loopback, unique local, link-local, multicast, IPv4 in any mapping and NAT64 lie outside it.
 * Of it not 2001::/23 (Teredo and other special purposes), documentation, and 6to4, which carries an IPv4 address.
 */
function isPublicIpv6([first = 0, second = 0]: number[]): boolean {
  if (first < 0x2000 || first > 0x3fff) return false;
  if (first === 0x2001) return second >= 0x0200 && second !== 0x0db8;
  return first !== 0x2002 && !(first === 0x3fff && second < 0x1000);
}
