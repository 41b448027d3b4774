/**
 * What of a client's address counts for limits: an IPv4 address whole, of an IPv6 address the first 64 bits, which one
 * customer of a provider has. Undefined for this machine itself: behind a proxy of its own, that is everybody.
 */
export function addressGroup(address: string | undefined): string | undefined {
  if (address === undefined || address === '::1' || /^(?:::ffff:)?127\./i.test(address)) return undefined;
  if (!address.includes(':') || address.includes('.')) return address.replace(/^::ffff:/i, '');
  const [head = '', tail] = address.toLowerCase().split('::');
  const before = head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - before.length - after.length);
  const groups = [...before, ...Array<string>(zeros).fill('0'), ...after];
  return groups
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, '') || '0')
    .join(':');
}
