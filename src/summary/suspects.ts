/**
 * The suspects of backscatter as mergeable tallies: who, over whom, why and when.
 *
 * One suspect is one chain; every table counts chains. Must not know how a chain is judged (suspects/).
 */
import { domainOf } from '../dsn/address.ts';
import { networkOf } from '../suspects/inside.ts';
import type { Judged } from '../suspects/judge.ts';
import { REASONS, type Reason } from '../suspects/reasons.ts';
import { BURST } from '../suspects/repeats.ts';
import { AND, Counter, RowsBeside } from './counter.ts';
import { Evidence } from './evidence.ts';
import type { Counted } from './facts.ts';

const HOUR = 3_600_000;

export class SuspectTallies {
  readonly verdicts = { confirmed: 0, likely: 0, possible: 0 };
  /** DSNs of suspects that went outside. */
  dsns = 0;
  readonly clients = new Counter();
  readonly networks = new Counter();
  /** Who gets the DSNs: an address that in all likelihood wrote nothing. */
  readonly victims = new Counter();
  readonly victimDomains = new Counter();
  readonly nextHops = new Counter();
  /** Our addresses that the messages failed for. */
  readonly recipients = new Counter();
  /** What each topic of `evidence` is about, as `topic TAB key`: a domain and its hop, a victim's domain, an agent. */
  readonly concerned = new Counter();
  /** By hour of acceptance (hours since the epoch). */
  readonly hours = new Map<number, number>();
  /** By reason, and by what findings want to know besides. */
  readonly evidence = new Evidence();
  /** Examples by client and by victim. */
  readonly byClient = new Evidence(this.clients.keys);
  readonly byVictim = new Evidence(this.victims.keys);
  /** Networks by client and domains by victim: found once for each. */
  readonly #networks = new RowsBeside();
  readonly #domains = new RowsBeside();

  get suspects(): number {
    const { confirmed, likely, possible } = this.verdicts;
    return confirmed + likely + possible;
  }

  tally(root: Counted['root'], { suspect, reasons, clientIp, victims, domain, failed }: Judged): void {
    this.verdicts[suspect.verdict] += 1;
    this.dsns += victims.length;
    for (const reason of reasons) {
      this.evidence.add(reason, root);
      if (OF_VICTIMS.has(reason)) this.concerned.addParts(reason, domain);
    }
    if (clientIp !== null) {
      const client = this.clients.add(clientIp);
      const network = this.#networks.get(client);
      if (network < 0) this.#networks.set(client, this.networks.add(networkOf(clientIp)));
      else this.networks.addAt(network);
      this.byClient.addAt(client, root);
    }
    const victim = this.victims.add(victims[0]);
    const at = this.#domains.get(victim);
    if (at < 0) this.#domains.set(victim, this.victimDomains.add(domain));
    else this.victimDomains.addAt(at);
    this.byVictim.addAt(victim, root);
    const hour = Math.floor(root.first / HOUR);
    this.hours.set(hour, (this.hours.get(hour) ?? 0) + 1);
    this.#failures(root, failed);
  }

  /** A message to five unknown users of one hop is one suspect there. */
  #failures(root: Counted['root'], failed: Judged['failed']): void {
    let unknown = false;
    let looping = false;
    // One failed recipient, as nearly always, tells nothing twice.
    const told = failed.length > 1 ? new Set<string>() : null;
    for (const { address, reason, failure, hop, agent } of failed) {
      if (hop !== null) {
        if (isNew(told, 'hop', hop)) this.nextHops.add(hop);
        if (reason !== 'loop') this.#concern(told, reason, domainOf(address ?? ''), hop);
      }
      if (address) {
        if (isNew(told, 'to', address)) this.recipients.add(address);
        if (reason === 'loop') this.#concern(told, 'loop', address);
      }
      if (agent === null) continue;
      if (reason === 'loop') looping = true;
      if (failure !== 'user unknown') continue;
      unknown = true;
      this.#concern(told, 'unknown_local_user', agent);
    }
    if (unknown) this.evidence.add('unknown_local_user', root);
    if (looping) this.evidence.add('local_loop', root);
  }

  #concern(told: Set<string> | null, topic: string, key: string, hop?: string): void {
    if (told === null || isNew(told, topic, hop === undefined ? key : key + AND + hop))
      this.concerned.addParts(topic, key, hop);
  }

  /** What a topic is about, most first; with `most`, only so many. */
  concernedBy(topic: string, most?: number): { key: string; count: number }[] {
    const start = `${topic}${AND}`;
    return this.concerned
      .sorted(most, { start })
      .map(([key, count]) => ({ key: key.slice(start.length), count }));
  }

  /** Suspects by reason, those included that only many suspects together show (suspects/repeats.ts). */
  reasons(): [Reason, number][] {
    return REASONS.map(({ name }): [Reason, number] => {
      if (name === 'burst_from_client') return [name, repeats(this.clients)];
      if (name === 'many_dsns_to_one_address') return [name, repeats(this.victims)];
      return [name, this.evidence.count(name)];
    });
  }

  merge(other: SuspectTallies): void {
    this.verdicts.confirmed += other.verdicts.confirmed;
    this.verdicts.likely += other.verdicts.likely;
    this.verdicts.possible += other.verdicts.possible;
    this.dsns += other.dsns;
    for (const table of SUSPECT_TABLES) this[table].merge(other[table]);
    for (const [hour, n] of other.hours) this.hours.set(hour, (this.hours.get(hour) ?? 0) + n);
    this.evidence.merge(other.evidence);
    this.byClient.merge(other.byClient);
    this.byVictim.merge(other.byVictim);
  }
}

/** Whether a message has not told this yet; null where it has nothing to tell twice. */
function isNew(told: Set<string> | null, what: string, key: string): boolean {
  if (told === null) return true;
  const before = told.size;
  return told.add(what + AND + key).size > before;
}

/** What is told by whom it hits. */
const OF_VICTIMS: ReadonlySet<Reason> = new Set([
  'return_receipt',
  'delay_warning',
  'spf_fail',
  'spf_softfail',
] as const);

/** The counters, by name. */
export const SUSPECT_TABLES = [
  'clients',
  'networks',
  'victims',
  'victimDomains',
  'nextHops',
  'recipients',
  'concerned',
] as const;

/** From the tenth on. */
function repeats(counter: Counter): number {
  let n = 0;
  for (const count of counter.values()) n += Math.max(0, count - BURST + 1);
  return n;
}

/** SPF as milters and policy daemons logged it, and what suppressing on its failure would do. */
export class SpfTallies {
  /** Messages by result. */
  readonly results = new Counter(20);
  /** Failure DSNs sent although SPF had failed, and the messages that they were sent for: what WIDE's patch suppresses. */
  wouldSuppressDsns = 0;
  wouldSuppressMessages = 0;
  /** Headers that the patch passed over: its map lacks the host. */
  headerIgnored = 0;

  /** A message with this result, for which so many failure DSNs were sent. */
  tally(result: string, sent: number): void {
    if (sent === 0 || (result !== 'fail' && result !== 'softfail')) return;
    this.wouldSuppressDsns += sent;
    this.wouldSuppressMessages += 1;
  }

  merge(other: SpfTallies): void {
    this.results.merge(other.results);
    this.wouldSuppressDsns += other.wouldSuppressDsns;
    this.wouldSuppressMessages += other.wouldSuppressMessages;
    this.headerIgnored += other.headerIgnored;
  }
}
