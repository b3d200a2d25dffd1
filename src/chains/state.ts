/**
 * All that the joiner knows between two lines: what is pending, in one place, so that it can be merged and kept.
 */

import type { LineHead } from '../lines/head.ts';
import { type DsnLink, ENDED_GRACE, IMPLIED_END_GRACE, type Life, type Recipient } from './life.ts';
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

/** First in, first out, without shifting arrays: closing times come in nearly ascending order. */
export class ClosingQueue {
  #lives: Life[] = [];
  #head = 0;
  readonly grace: number;

  constructor(grace: number) {
    this.grace = grace;
  }

  push(life: Life): void {
    life.waiting = true;
    this.#lives.push(life);
  }

  /** When the next life may be over: not before log time is later than this. */
  get nextDue(): number {
    const life = this.#lives[this.#head];
    return life === undefined ? Number.POSITIVE_INFINITY : life.last + this.grace;
  }

  /** Those that wait, first in first. */
  *lives(): IterableIterator<Life> {
    for (let i = this.#head; i < this.#lives.length; i += 1) yield this.#lives[i];
  }

  /** The next life whose time may be over at `now`, or null. */
  due(now: number): Life | null {
    const life = this.#lives[this.#head];
    if (life === undefined || life.last + this.grace >= now) return null;
    this.#head += 1;
    if (this.#head > 1024 && this.#head * 2 > this.#lives.length) {
      this.#lives = this.#lives.slice(this.#head);
      this.#head = 0;
    }
    life.waiting = false;
    return life;
  }
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
  /** Hosts whose qmail-send began anew: deliveries from before are forgotten. */
  readonly restarted = new Set<number>();
  readonly shortQueue = new ClosingQueue(ENDED_GRACE);
  readonly longQueue = new ClosingQueue(IMPLIED_END_GRACE);
  nextSweep = Number.NEGATIVE_INFINITY;
  /** Roots whose own id left the table while their DSNs live on. */
  readonly closedRoots = new Set<Life>();
  /** By host and pid. */
  readonly sessions = new ByProcess<SessionFacts>();
  readonly checks = new Map<string, SenderCheck>();
  /** sendmail lines in parts, by host and id: texts so far. */
  readonly parts = new Map<string, string[]>();
  readonly pipedByMessageId = new Map<number, Life>();
  readonly pickedUpByMessageId = new Map<number, Life>();
  // qmail, by host and process or delivery number
  readonly deliveries = new ByProcess<Delivery>();
  readonly lifeByQp = new ByProcess<Life>((host, qp) => this.onKnown(host, qp));
  readonly bounceByQp = new ByProcess<AnnouncedBounce>(this.#awaited);
  /** Hosts where a bounce's qp has led to its report: no wrapper stands in between. */
  readonly qpJoins = new Set<number>();
  /** Forwards whose own lines have not come yet. */
  readonly forwardByQp = new ByProcess<{ life: Life; serial: number; recipient: Recipient; at: number }>(
    this.#awaited,
  );
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
    return Math.min(this.shortQueue.nextDue, this.longQueue.nextDue, this.nextSweep - 0.001);
  }

  /** Until its time is over. In one queue at most: a life that is given back must not be waited for. */
  wait(life: Life): void {
    if (life.waiting) return;
    if (life.impliedEnd) this.longQueue.push(life);
    else this.shortQueue.push(life);
  }
}

/** Most entries of a side table; the oldest go first. Met only by hostile or broken logs. */
const SIDE_TABLE_LIMIT = 50_000;

/** Makes room for one more entry. */
export function limit(map: Map<unknown, unknown>): void {
  if (map.size < SIDE_TABLE_LIMIT) return;
  for (const key of map.keys()) {
    map.delete(key);
    return;
  }
}
