/**
 * What belongs to us: networks whose clients are ours, and domains whose addresses are.
 *
 * Owns the built-in networks (loopback, private, link-local) and what `--inside` adds. Must not know chains or flags.
 * An address is also inside where the log shows that mail to it is delivered on this host; that is locality.ts.
 */
import { BlockList, isIP } from 'node:net';

/** One thing that belongs to us. */
export type InsideEntry =
  | { readonly kind: 'network'; readonly family: 4 | 6; readonly address: string; readonly prefix: number }
  | { readonly kind: 'domain'; readonly name: string };

/** Networks that nobody outside can send from: RFC 1122, 1918, 3927, 4193, 4291, 6598. */
const BUILT_IN: readonly (readonly [address: string, prefix: number, family: 'ipv4' | 'ipv6'])[] = [
  ['127.0.0.0', 8, 'ipv4'],
  ['10.0.0.0', 8, 'ipv4'],
  ['172.16.0.0', 12, 'ipv4'],
  ['192.168.0.0', 16, 'ipv4'],
  ['169.254.0.0', 16, 'ipv4'],
  ['100.64.0.0', 10, 'ipv4'],
  ['::1', 128, 'ipv6'],
  ['fc00::', 7, 'ipv6'],
  ['fe80::', 10, 'ipv6'],
];

const MAPPED = /^::ffff:(?=\d+\.)/i;
/** Clients remembered; bounded because a log has as many as it likes. */
const MOST_KNOWN = 10_000;

export class Inside {
  readonly #networks = new BlockList();
  readonly #domains = new Set<string>(['localhost']);
  readonly #known = new Map<string, boolean>();
  /** No network but the built-in ones. */
  readonly builtInOnly: boolean;

  constructor(entries: readonly InsideEntry[] = []) {
    for (const [address, prefix, family] of BUILT_IN) this.#networks.addSubnet(address, prefix, family);
    this.builtInOnly = entries.every(({ kind }) => kind === 'domain');
    for (const entry of entries) {
      if (entry.kind === 'domain') this.#domains.add(entry.name);
      else this.#networks.addSubnet(entry.address, entry.prefix, entry.family === 4 ? 'ipv4' : 'ipv6');
    }
  }

  /** Whether a client's address is in one of our networks; false for what is no address. */
  hasNetwork(ip: string): boolean {
    if (this.builtInOnly && !mayBeBuiltIn(ip)) return false;
    let known = this.#known.get(ip);
    if (known === undefined) {
      const bare = ip.replace(MAPPED, '');
      const family = isIP(bare);
      known = family !== 0 && this.#networks.check(bare, family === 4 ? 'ipv4' : 'ipv6');
      if (this.#known.size >= MOST_KNOWN) this.#known.clear();
      this.#known.set(ip, known);
    }
    return known;
  }

  /** Whether mail to a domain, in lower case, stays with us: one of ours exactly, not what is below it. */
  hasDomain(domain: string): boolean {
    return this.#domains.has(domain);
  }
}

/** 4 or 6 for an address of that family, 0 for anything else. */
export function familyOf(ip: string): number {
  return isIP(ip);
}

/** Asked for every message, and the look-up costs 50 ns: built-in networks begin with 10., 100, 127, 169, 172, 192, `:` or `f`. */
function mayBeBuiltIn(ip: string): boolean {
  const first = ip.charCodeAt(0);
  const third = ip.charCodeAt(2);
  if (first !== 0x31) return first === 0x3a || (first | 0x20) === 0x66;
  // The same in the kernel (assembly/closing.ts isOurs).
  switch (ip.charCodeAt(1)) {
    case 0x30: // 10. 100
      return third === 0x2e || third === 0x30;
    case 0x32: // 127
      return third === 0x37;
    case 0x36: // 169
      return third === 0x39;
    case 0x37: // 172
    case 0x39: // 192
      return third === 0x32;
    default:
      return false;
  }
}

/** The network that a client is counted under: IPv4 /24, IPv6 /64; what is no address stands for itself. */
export function networkOf(ip: string): string {
  const bare = ip.replace(MAPPED, '');
  const family = isIP(bare);
  if (family === 4) return `${bare.slice(0, bare.lastIndexOf('.'))}.0/24`;
  if (family !== 6) return ip;
  const [head, tail] = bare.split('%')[0].toLowerCase().split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const groups =
    tail === undefined
      ? left
      : [...left, ...Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0'), ...right];
  const first = groups.slice(0, 4).map((group) => group.replace(/^0+(?=.)/, ''));
  while (first.length > 0 && first[first.length - 1] === '0') first.pop();
  return `${first.join(':')}::/64`;
}
