/**
 * Chains -> what they prove about the addresses of our domains.
 *
 * A delivery proves an address valid, a refusal of an unknown user proves it invalid, everything else (full mailbox,
 * content, time-outs) proves nothing. Refusals by our own SMTP server are no evidence: it may only lack the address in
 * its map. Must not know formats.
 */
import type { Life } from '../chains/life.ts';
import {
  messageLives,
  NOTHING,
  natureOf,
  recipientsOf,
  type SeenRecipient,
  statusOf,
} from '../chains/view.ts';
import { reasonClass } from '../dsn/reasons.ts';
import { QMAIL } from '../records/record.ts';
import { recipientAddress } from './addresses.ts';

/** What is known of one address. Instants are ms since the epoch, NaN for never. */
export interface AddressEvidence {
  readonly key: string;
  readonly domain: string;
  deliveries: number;
  refusals: number;
  /** Outcomes that prove nothing. */
  undecided: number;
  first: number;
  lastDelivered: number;
  lastRefused: number;
  /** Refusals since the last delivery, of the spelling that was delivered: the first and the last one. */
  refusedSince: number;
  refusedUntil: number;
  /** As the last delivery had it. */
  spelling: string;
  /** Of the last delivery or refusal. */
  status: string | null;
  relay: string | null;
  reply: string | null;
}

/** Addresses without any delivery that are kept: dictionary attacks name millions. */
const MOST_UNPROVEN = 500_000;

export class Evidence {
  readonly addresses = new Map<string, AddressEvidence>();
  /** Refusals of addresses that are not kept, because there are too many of them. */
  overflow = 0;
  /** qmail: refusals of addresses with `_`, which may stand for anything that is not printable. */
  ambiguous = 0;
  readonly #domains: ReadonlySet<string>;
  readonly #delimiter: string;
  #unproven = 0;

  constructor(domains: ReadonlySet<string>, delimiter: string) {
    this.#domains = domains;
    this.#delimiter = delimiter;
  }

  /** Takes a chain and its DSNs: these are mail to addresses, too. */
  chain(root: Life): void {
    if (root.parent === null && natureOf(root) === NOTHING) return;
    for (const seen of recipientsOf(root)) this.#seen(seen);
    for (const life of messageLives(root))
      for (const link of life.dsns) if (link.child !== null) this.chain(link.child);
  }

  #seen({ life, recipient: r, original, outcome }: SeenRecipient): void {
    if (r === null) return;
    const status = statusOf(life, r);
    // The address that was given to us is proven along with the one that an alias made of it.
    const before = original !== null && original !== r.address ? original : null;
    switch (outcome) {
      case 'delivered':
      case 'expanded':
        this.#deliver(r.address, r, status);
        if (before !== null) this.#deliver(before, r, status);
        return;
      case 'probe':
        if (status?.startsWith('2') === true) this.#deliver(r.address, r, status);
        else if (isUnknownUser(r.reply, status)) this.#refuse(r.address, life, r, status);
        else this.#nothing(r.address, r.at);
        return;
      case 'failed':
        if (!isUnknownUser(r.reply, status)) {
          this.#nothing(r.address, r.at);
          if (before !== null) this.#nothing(before, r.at);
          return;
        }
        this.#refuse(r.address, life, r, status);
        if (before === null) return;
        // user@ours rewritten to user@store and refused there does not exist; an alias with a dead target does.
        if (localOf(before) === localOf(r.address)) this.#refuse(before, life, r, status);
        else this.#nothing(before, r.at);
        return;
      default:
        this.#nothing(r.address, r.at);
    }
  }

  #deliver(address: string, r: Attempted, status: string | null): void {
    const known = this.#entry(address, r.at, true);
    if (known === null) return;
    if (known.deliveries === 0) this.#unproven -= 1;
    known.deliveries += 1;
    if (!(r.at < known.lastDelivered)) {
      if (known.spelling !== address || !(r.at < known.refusedUntil)) {
        known.refusedSince = Number.NaN;
        known.refusedUntil = Number.NaN;
      } else if (!(r.at < known.refusedSince)) known.refusedSince = known.refusedUntil;
      known.spelling = address;
      known.lastDelivered = r.at;
    }
    this.#last(known, r, status);
  }

  #refuse(address: string, life: Life, r: Attempted, status: string | null): void {
    if (life.mta === QMAIL && localOf(address).includes('_')) {
      this.ambiguous += 1;
      this.#nothing(address, r.at);
      return;
    }
    const known = this.#entry(address, r.at, false);
    if (known === null) return;
    known.refusals += 1;
    if (!(r.at < known.lastRefused)) known.lastRefused = r.at;
    // JOHN refused says nothing about john, who got his mail.
    if (!(r.at < known.lastDelivered) && (known.deliveries === 0 || known.spelling === address)) {
      if (!(r.at >= known.refusedSince)) known.refusedSince = r.at;
      if (!(r.at < known.refusedUntil)) known.refusedUntil = r.at;
    }
    this.#last(known, r, status);
  }

  #nothing(address: string, at: number): void {
    const known = this.#entry(address, at, false);
    if (known !== null) known.undecided += 1;
  }

  #last(known: AddressEvidence, r: Attempted, status: string | null): void {
    if (r.at < Math.max(nanLeast(known.lastDelivered), nanLeast(known.lastRefused))) return;
    known.status = status;
    known.relay = r.relay;
    known.reply = r.reply;
  }

  #entry(address: string, at: number, delivered: boolean): AddressEvidence | null {
    const place = recipientAddress(address, this.#domains, this.#delimiter);
    if (place === null) return null;
    let known = this.addresses.get(place.key);
    if (known === undefined) {
      if (!delivered && this.#unproven >= MOST_UNPROVEN) {
        this.overflow += 1;
        return null;
      }
      known = {
        ...place,
        deliveries: 0,
        refusals: 0,
        undecided: 0,
        first: at,
        lastDelivered: Number.NaN,
        lastRefused: Number.NaN,
        refusedSince: Number.NaN,
        refusedUntil: Number.NaN,
        spelling: '',
        status: null,
        relay: null,
        reply: null,
      };
      this.addresses.set(place.key, known);
      this.#unproven += 1;
    }
    if (at < known.first || Number.isNaN(known.first)) known.first = at;
    return known;
  }
}

interface Attempted {
  readonly at: number;
  readonly relay: string | null;
  readonly reply: string | null;
}

function isUnknownUser(reply: string | null, status: string | null): boolean {
  return reasonClass(reply, status, false) === 'user unknown';
}

function localOf(address: string): string {
  return address.slice(0, Math.max(0, address.lastIndexOf('@'))).toLowerCase();
}

function nanLeast(at: number): number {
  return Number.isNaN(at) ? Number.NEGATIVE_INFINITY : at;
}
