/**
 * What only many suspects together show: one client behind many of them, one address hit by many of their DSNs.
 *
 * Owns the two thresholds and the memory of a run that prints chains one by one: a chain gets the reason from the
 * tenth suspect on. How many chains that is does not depend on their order, so the report, which counts from the
 * tallies, says the same number.
 */
import type { Suspect } from '../chains/chain.ts';
import type { ChainJudge } from '../chains/view.ts';
import type { Inside } from './inside.ts';
import { clamp, type Judged, judge } from './judge.ts';
import { REASONS, type Reason, reasonEntry } from './reasons.ts';

/** The tenth suspect of a client, or the tenth suspect with a DSN to an address, is the first of a burst. */
export const BURST = 10;
/** Clients and addresses that are remembered; a later one never makes a burst. */
const MOST_REMEMBERED = 100_000;

export class Repeats {
  readonly #clients = new Map<string, number>();
  readonly #victims = new Map<string, number>();

  /** Goes on from a run before: suspects by client and by victim. */
  goOn(clients: Iterable<readonly [string, number]>, victims: Iterable<readonly [string, number]>): void {
    for (const [client, n] of clients) this.#clients.set(client, n);
    for (const [victim, n] of victims) this.#victims.set(victim, n);
  }

  /** The suspect with what the suspects before it add. */
  add({ suspect, reasons, clientIp, victims }: Judged): Suspect {
    const more: Reason[] = [];
    if (clientIp !== null && count(this.#clients, clientIp) >= BURST) more.push('burst_from_client');
    let many = false;
    for (const victim of new Set(victims)) if (count(this.#victims, victim) >= BURST) many = true;
    if (many) more.push('many_dsns_to_one_address');
    if (more.length === 0) return suspect;
    const all = new Set([...reasons, ...more]);
    return {
      verdict: suspect.verdict,
      score: clamp(more.reduce((score, name) => score + reasonEntry(name).points, suspect.score)),
      reasons: REASONS.map((entry) => entry.name).filter((name) => all.has(name)),
    };
  }
}

/** Judges the chains of a run, each once, as they end. */
export function judgeOfRun(inside: Inside, repeats: Repeats = new Repeats()): ChainJudge {
  return (root, dsns, recipients) => {
    const found = judge(root, dsns, recipients, inside);
    return found === null ? null : repeats.add(found);
  };
}

function count(counts: Map<string, number>, key: string): number {
  const n = (counts.get(key) ?? 0) + 1;
  if (n > 1 || counts.size < MOST_REMEMBERED) counts.set(key, n);
  return n;
}
