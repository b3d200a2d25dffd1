/**
 * Which saved summaries belong together, and in what order they merge.
 *
 * Parts of the log of the same hosts that follow each other in time are joined at their seams, so that a message that
 * was under way meets its end. All else adds up: other hosts, and what overlaps in time. The order in which the
 * summaries were named means nothing.
 */
import { ROTATION_JITTER } from './reading.ts';
import type { SavedHeader } from './saved.ts';

export interface Mergeable {
  readonly header: SavedHeader;
  /** Tells equal ones from others: rows and checksum. */
  readonly sum: string;
}

export interface Merging<T extends Mergeable> {
  /** Each is one log; its parts in their order. */
  readonly chains: readonly (readonly T[])[];
  /** Summaries of one host that overlap in time. */
  readonly overlaps: readonly (readonly [T, T])[];
}

export function arrange<T extends Mergeable>(parts: readonly T[]): Merging<T> {
  const sorted = [...parts].sort(
    (a, b) =>
      compare(a.header.first ?? Number.POSITIVE_INFINITY, b.header.first ?? Number.POSITIVE_INFINITY) ||
      compare(a.header.last ?? Number.POSITIVE_INFINITY, b.header.last ?? Number.POSITIVE_INFINITY) ||
      compare(a.sum, b.sum),
  );
  const chains: { parts: T[]; hosts: Set<string>; last: number }[] = [];
  const overlaps: [T, T][] = [];
  for (const part of sorted) {
    const hosts = hostsOf(part.header);
    const first = part.header.first ?? Number.POSITIVE_INFINITY;
    const last = part.header.last ?? Number.NEGATIVE_INFINITY;
    const known = chains.filter((chain) => [...hosts].some((host) => chain.hosts.has(host)));
    const fitting = known.filter((chain) => chain.last <= first + ROTATION_JITTER);
    // The one that ended last: its seam is the one here.
    const before = fitting.reduce<(typeof chains)[number] | null>(
      (best, chain) => (best === null || chain.last > best.last ? chain : best),
      null,
    );
    if (before === null) {
      if (known.length > 0) overlaps.push([known[0].parts[known[0].parts.length - 1], part]);
      chains.push({ parts: [part], hosts, last });
      continue;
    }
    before.parts.push(part);
    for (const host of hosts) before.hosts.add(host);
    before.last = Math.max(before.last, last);
  }
  return { chains: chains.map((chain) => chain.parts), overlaps };
}

/** Names of the hosts that wrote; "" stands for lines that name none. */
export function hostsOf({ hosts, own_hosts }: SavedHeader): Set<string> {
  const names = new Map(hosts);
  return new Set(own_hosts.map((host) => names.get(host) ?? ''));
}

function compare(a: number | string, b: number | string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
