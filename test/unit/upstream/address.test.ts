import { describe, expect, test } from 'vitest';
import { addressFault } from '../../../src/upstream/address.ts';

const production = { development: false };
const development = { development: true };

/** Hosts inside a network of one's own, in every spelling that means one. */
const INSIDE = [
  ...['localhost', 'LOCALHOST', 'localhost.', 'api.localhost', 'metadata', 'db.internal', 'printer.local'],
  ...['metadata.google.internal', 'metadata.google.internal.', 'nas.lan', 'router.home.arpa', 'x.corp'],
  ...['127.0.0.1', '127.1', '2130706433', '0x7f000001', '0x7f.1', '0177.0.0.1', '017700000001', '127.0.0.1.'],
  ...['0.0.0.0', '0', '10.0.0.1', '10.255.255.255', '172.16.0.1', '172.31.255.255', '192.168.1.1'],
  ...['169.254.169.254', '0xa9fea9fe', '2852039166', '100.64.0.1', '100.100.100.200', '168.63.129.16'],
  ...[
    '192.0.0.192',
    '192.0.2.1',
    '198.18.0.1',
    '198.51.100.7',
    '203.0.113.7',
    '224.0.0.1',
    '255.255.255.255',
  ],
  ...['[::1]', '[::]', '[0:0:0:0:0:0:0:1]', '[fc00::1]', '[fd00:ec2::254]', '[fe80::1]', '[ff02::1]'],
  ...['[::ffff:127.0.0.1]', '[::ffff:a9fe:a9fe]', '[::ffff:8.8.8.8]', '[::127.0.0.1]', '[64:ff9b::7f00:1]'],
  ...['[2002:7f00:1::]', '[2001::1]', '[2001:db8::1]', '[3fff::1]', '[fec0::1]', '[100::1]'],
  ...['１２７.0.0.1', '127。0。0。1', 'ⓛocalhost', '%6c%6fcalhost'],
];
const OUTSIDE = [
  ...['example.com', 'api.openai.com', 'local.example.com', 'internal.example.com', 'mylocalhost.com'],
  ...['8.8.8.8', '11.0.0.1', '172.15.0.1', '172.32.0.1', '100.63.0.1', '100.128.0.1', '169.253.0.1'],
  ...['192.167.0.1', '192.169.0.1', '223.255.255.255', '168.63.129.17', '10.example.com'],
  ...['[2606:4700::1111]', '[2001:4860:4860::8888]', '[2a00:1450::1]', '[3ffe::1]'],
];

describe('P-BR-1 in production an upstream of a tenant', () => {
  test.each(OUTSIDE)('may be at https://%s', (host) => {
    expect(addressFault(`https://${host}:8443/v1?a=b`, production)).toBeUndefined();
  });

  test.each(INSIDE)('may not be at %s', (host) => {
    expect(addressFault(`https://${host}/v1`, production)).toBe('is not at a public address');
  });
});

describe('P-BR-1 an upstream’s address', () => {
  test.each([
    ['http://example.com/', 'must be https'],
    ['http://127.0.0.1/', 'must be https'],
    ['ftp://example.com/', 'is not an https URL'],
    ['file:///etc/passwd', 'is not an https URL'],
    ['javascript:alert(1)', 'is not an https URL'],
    ['https://user@example.com/', 'has credentials in it'],
    ['https://:secret@example.com/', 'has credentials in it'],
    ['https://example.com/#x', 'has a fragment'],
    ['example.com', 'is not a URL'],
    ['https://', 'is not a URL'],
    ['', 'is not a URL'],
    ['https://1.2.3.4.5/', 'is not a URL'],
    ['https://[::1/', 'is not a URL'],
  ])('%s %s', (address, fault) => {
    expect(addressFault(address, production)).toBe(fault);
  });

  test.each([
    ...[
      'http://localhost:11434/v1',
      'http://127.0.0.1:9/',
      'http://127.1/',
      'http://[::1]:8000/',
      'http://a.localhost/',
    ],
    ...['https://192.168.1.5/v1', 'https://example.com/'],
  ])('%s is possible in development', (address) => {
    expect(addressFault(address, development)).toBeUndefined();
  });

  test.each([
    ...[
      'http://example.com/',
      'http://192.168.1.5/',
      'http://169.254.169.254/',
      'http://127.0.0.1.example.com/',
    ],
    ...['http://[::ffff:127.0.0.1]/', 'http://localhost.example.com/'],
  ])('%s is not, even in development', (address) => {
    expect(addressFault(address, development)).toBe('must be https, or http to this machine');
  });
});
