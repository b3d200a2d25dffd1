/** What belongs to us. */
import { describe, expect, test } from 'vitest';
import { Inside, networkOf } from '../../src/suspects/inside.ts';

describe('networks', () => {
  const inside = new Inside();
  test.each([
    '127.0.0.1',
    '10.1.2.3',
    '172.16.0.1',
    '192.168.1.1',
    '169.254.1.1',
    '100.64.0.1',
    '::1',
    'fd12::1',
    'fe80::1',
  ])('%s is ours without a word', (ip) => expect(inside.hasNetwork(ip)).toBe(true));
  test.each([
    '198.51.100.1',
    '172.32.0.1',
    '100.128.0.1',
    '11.0.0.1',
    '2001:db8::1',
    'unknown',
    '',
    '1',
    '10.0.0.256',
  ])('%s is not', (ip) => expect(inside.hasNetwork(ip)).toBe(false));

  test('--inside adds to them, IPv4 in IPv6 included', () => {
    const more = new Inside([
      { kind: 'network', family: 4, address: '198.51.100.0', prefix: 26 },
      { kind: 'network', family: 6, address: '2001:db8::', prefix: 32 },
    ]);
    expect(more.hasNetwork('198.51.100.63')).toBe(true);
    expect(more.hasNetwork('::ffff:198.51.100.63')).toBe(true);
    expect(more.hasNetwork('198.51.100.64')).toBe(false);
    expect(more.hasNetwork('2001:db8:1::1')).toBe(true);
    expect(more.hasNetwork('127.0.0.1')).toBe(true);
  });
});

test('domains: localhost and those that are named, not what is below them', () => {
  const inside = new Inside([{ kind: 'domain', name: 'example.com' }]);
  const domains = ['localhost', 'example.com', 'sub.example.com', 'example.org'];
  expect(domains.map((domain) => inside.hasDomain(domain))).toEqual([true, true, false, false]);
});

test.each([
  ['198.51.100.77', '198.51.100.0/24'],
  ['::ffff:198.51.100.77', '198.51.100.0/24'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:db8::5', '2001:db8::/64'],
  ['::1', '::/64'],
  ['2001:DB8:0:7::1', '2001:db8:0:7::/64'],
  ['unknown', 'unknown'],
])('%s is counted under %s', (ip, network) => expect(networkOf(ip)).toBe(network));
