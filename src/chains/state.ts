/**
 * All that the joiner knows between two lines: what is pending, in one place, so that it can be merged and kept.
 */

import { DELIVERIES_APART, type LineHead } from '../lines/head.ts';
import {
  type DsnLink,
  graceOf,
  IMPLIED_END_GRACE,
  type Life,
  lastSecondOf,
  type Recipient,
  secondOf,
} from './life.ts';
import { limit } from './limit.ts';
import { PipedMail } from './pipes.ts';
import { LifeTable } from './table.ts';

export interface SessionFacts {
  at: number;
  clientName: string | null;
  clientIp: string | null;
  authUser: string | null;
  /** `NOQUEUE: discard:` or `hold:` of this session: the next message is dropped, or held (older states do not say which: dropped). */
  discard: { reversePath: string | null; recipient: string | null; held?: boolean } | null;
}

export interface Delivery {
  life: Life;
  /** The life's serial when it was remembered: it may be another one by now. */
  serial: number;
  recipient: Recipient;
  /** When it was started. */
  at: number;
}

/** More than the longest grace of a life that waits. */
const CLOSING_SECONDS = 512;

/**
 * Lives that wait to be closed, by the second in which their time is over: what is closed depends on the lines alone, also
 * where stamps go back, and whoever else keeps lives (src/kernel/) closes its own at the same moment. To look once a second
 * of log time is cheaper than an order.
 */
export class ClosingTimes {
  readonly #seconds: Life[][] = Array.from({ length: CLOSING_SECONDS }, () => []);
  /** Entries; a life may have another one for an earlier time, or from when it was another life (giveBack). */
  #entries = 0;
  /** All that was over before this second has been closed. */
  #closedTo = Number.NEGATIVE_INFINITY;
  #next = Number.POSITIVE_INFINITY;
  #spare: Life[] = [];

  /** Until its time is over; `now` is log time. */
  push(life: Life, now: number): void {
    if (this.#closedTo === Number.NEGATIVE_INFINITY) this.#closedTo = secondOf(now);
    const latest = this.#closedTo + CLOSING_SECONDS - 1;
    const second = Math.min(Math.max(lastSecondOf(life), this.#closedTo), latest);
    if (life.waitsUntil <= second) return;
    life.waitsUntil = second;
    this.#seconds[second & (CLOSING_SECONDS - 1)].push(life);
    this.#entries += 1;
    if (second < this.#next) this.#next = second;
  }

  /** Nothing has to be closed before log time is later than this. */
  get nextDue(): number {
    return (this.#next + 1) * 1000 - 0.001;
  }

  /** Hands out the lives that waited until a second before that of `now`. */
  due(now: number, closeOrWait: (life: Life) => void): void {
    const to = secondOf(now);
    if (this.#next >= to) {
      // Nobody waits for less.
      if (to > this.#closedTo) this.#closedTo = to;
      return;
    }
    // Far behind, each of them once.
    for (let at = Math.max(this.#closedTo, to - CLOSING_SECONDS); at < to && this.#entries > 0; at += 1) {
      this.#closedTo = at;
      const lives = this.#seconds[at & (CLOSING_SECONDS - 1)];
      if (lives.length === 0) continue;
      this.#seconds[at & (CLOSING_SECONDS - 1)] = this.#spare;
      this.#entries -= lives.length;
      for (const life of lives) {
        life.waitsUntil = Number.POSITIVE_INFINITY;
        closeOrWait(life);
      }
      lives.length = 0;
      this.#spare = lives;
    }
    this.#closedTo = to;
    this.#next = Number.POSITIVE_INFINITY;
    for (let at = to; this.#entries > 0; at += 1) {
      if (this.#seconds[at & (CLOSING_SECONDS - 1)].length === 0) continue;
      this.#next = at;
      break;
    }
  }
}

/** What a message was forwarded as, whose own lines have not come yet. */
export interface Forward {
  readonly life: Life;
  /** As in Delivery. */
  readonly serial: number;
  /** Whom it stands for; null where the recipient was tried in another way, too, and that decides. */
  readonly recipient: Recipient | null;
  readonly at: number;
}

/** What SPF said before the message that it is about was known, by id or by client and reverse-path (joiner.ts). */
export interface SenderCheck {
  readonly at: number;
  readonly result: number;
  /** Where the line named an id; host -1 otherwise. */
  readonly host: number;
  readonly hash: number;
  readonly check: number;
}

/** A DSN that qmail announced by its process only. */
export interface AnnouncedBounce {
  life: Life;
  link: DsnLink;
}

/** The last delivery result of a host: splogger may go on with its text. */
export interface LastResult {
  stamp: number;
  life: Life;
  serial: number;
  recipient: Recipient;
}

/**
 * A table by host and a small number (pid, qp, delivery). Keys are small integers to V8: one Map with keys that need a
 * double would cost three times as much a lookup.
 */
export class ByProcess<T> {
  readonly #hosts: Map<number, T>[] = [];
  readonly #onSet: (host: number, process: number) => void;

  constructor(onSet: (host: number, process: number) => void = () => undefined) {
    this.#onSet = onSet;
  }

  of(host: number): Map<number, T> {
    return (this.#hosts[host] ??= new Map());
  }

  get(host: number, process: number): T | undefined {
    return this.#hosts[host]?.get(process);
  }

  has(host: number, process: number): boolean {
    return this.#hosts[host]?.has(process) === true;
  }

  /** The oldest entry goes when there are too many. */
  set(host: number, process: number, value: T): void {
    const map = this.of(host);
    limit(map);
    map.set(process, value);
    this.#onSet(host, process);
  }

  delete(host: number, process: number): void {
    this.#hosts[host]?.delete(process);
  }

  /** Drops what `over` says is over. */
  sweep(over: (value: T) => boolean): void {
    for (const map of this.#hosts) {
      if (map === undefined) continue;
      for (const [process, value] of map) if (over(value)) map.delete(process);
    }
  }

  *entries(): IterableIterator<[host: number, process: number, value: T]> {
    for (let host = 0; host < this.#hosts.length; host += 1) {
      const map = this.#hosts[host];
      if (map !== undefined) for (const [process, value] of map) yield [host, process, value];
    }
  }
}

/** Which qmail-send, or queue, counts this delivery (Tag.deliveries, ParsedRecord.delivery). */
export function countedFrom(delivery: number): number {
  return Math.floor(delivery / DELIVERIES_APART);
}

/** Deliveries under way, by host and number; each qmail-send forgets its own. */
export class Deliveries {
  readonly #counted = new Map<number, ByProcess<Delivery>>();

  get(host: number, delivery: number): Delivery | undefined {
    return this.#counted.get(countedFrom(delivery))?.get(host, delivery);
  }

  set(host: number, delivery: number, value: Delivery): void {
    const from = countedFrom(delivery);
    let table = this.#counted.get(from);
    if (table === undefined) {
      limit(this.#counted);
      table = new ByProcess();
      this.#counted.set(from, table);
    }
    table.set(host, delivery, value);
  }

  delete(host: number, delivery: number): void {
    this.#counted.get(countedFrom(delivery))?.delete(host, delivery);
  }

  /** Those of the host that were counted from there. */
  forget(host: number, from: number): void {
    this.#counted.get(from)?.of(host).clear();
  }

  *entries(): IterableIterator<[host: number, delivery: number, value: Delivery]> {
    for (const table of this.#counted.values()) yield* table.entries();
  }
}

/** What a next hop called a message; see JoinerState.hops. */
export interface Hop {
  life: Life;
  recipient: Recipient;
  relay: string;
  hash: number;
  check: number;
  /** The serial of the first life that began after it was said. */
  serial: number;
}

export class JoinerState {
  /** Told of every process whose message something begins to wait for. */
  onAwaited: (host: number, qp: number) => void = () => undefined;
  /** Told of every process whose message is known by it. */
  onKnown: (host: number, qp: number) => void = () => undefined;
  readonly #awaited = (host: number, qp: number): void => this.onAwaited(host, qp);
  readonly table = new LifeTable();
  /** Newest instant seen. */
  now = Number.NEGATIVE_INFINITY;
  /** First instant seen. */
  origin = Number.POSITIVE_INFINITY;
  /** Chains that are over here, but may go on to the left of this piece of log. */
  readonly held = new Set<Life>();
  /** Lines that something on the left will explain, in their order. */
  readonly unresolved: LineHead[] = [];
  /**
   * Deliveries to a host that may be this one, by lives that began on the left: the id that the next hop named may
   * stand there, too.
   */
  readonly hops: Hop[] = [];
  /** By host and what deliveries are counted from: qmail-sends that began anew, and have forgotten those from before. */
  readonly restarted = new ByProcess<true>();
  readonly closing = new ClosingTimes();
  nextSweep = Number.NEGATIVE_INFINITY;
  /** Roots whose own id left the table while their DSNs live on. */
  readonly closedRoots = new Set<Life>();
  /** By host and pid. */
  readonly sessions = new ByProcess<SessionFacts>();
  readonly checks = new Map<string, SenderCheck>();
  /** sendmail lines in parts, by host and id: texts so far. */
  readonly parts = new Map<string, string[]>();
  readonly piped = new PipedMail();
  // qmail, by host and process or delivery number
  readonly deliveries = new Deliveries();
  readonly lifeByQp = new ByProcess<Life>((host, qp) => this.onKnown(host, qp));
  readonly bounceByQp = new ByProcess<AnnouncedBounce>(this.#awaited);
  /** Hosts where a bounce's qp has led to its report: no wrapper stands in between. */
  readonly qpJoins = new Set<number>();
  readonly forwardByQp = new ByProcess<Forward>(this.#awaited);
  /** Forwards by deliveries that began before the log did: when their results came. */
  readonly orphanForwards = new ByProcess<number>(this.#awaited);
  readonly clientByQp = new ByProcess<SessionFacts>(this.#awaited);
  /** By host. */
  readonly lastResult = new Map<number, LastResult>();

  /** qmail: something is waiting for the message that this process will put into the queue. */
  awaits(host: number, qp: number): boolean {
    return (
      this.clientByQp.has(host, qp) ||
      this.forwardByQp.has(host, qp) ||
      this.orphanForwards.has(host, qp) ||
      this.bounceByQp.has(host, qp)
    );
  }

  /** Nothing has to be done before log time is later than this. */
  get nextDue(): number {
    return Math.min(this.closing.nextDue, this.nextSweep - 0.001);
  }

  /** Until its time is over; an open life will end, or is found when it has been silent for long. */
  wait(life: Life): void {
    if (graceOf(life) <= IMPLIED_END_GRACE) this.closing.push(life, this.now);
  }
}
