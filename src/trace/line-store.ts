/**
 * The lines of pending lives, and of chains that were over not long ago: for whoever wants to see one of them whole.
 *
 * Lines are kept as they stand in the log, in bounded memory: when it is full, the oldest chains that are over lose
 * theirs, or the oldest pending lives, whichever have more. What is gone is known to be gone.
 *
 * Owns which lines belong to which life and what has to go. Must not know what a trace looks like.
 */
import type { TakenLine } from '../analysis/analysis.ts';
import type { Joiner } from '../chains/joiner.ts';
import { type Life, Recipient } from '../chains/life.ts';
import { livesOf } from '../chains/view.ts';
import { QUEUE_INFO, RECORDED } from '../records/record.ts';
import { asciiText } from '../records/text.ts';
import { Early, idKey, isPart, keyOfEarly, partKey, qpKey } from './early.ts';
import { type ArenaRecord, LineArena } from './line-arena.ts';
import { ownerOf } from './keeper.ts';

/** A root's id, and what lines of its SMTP session that name no id may have told of it. */
export interface SessionFacts
  extends Pick<
    Life,
    'id' | 'clientIp' | 'clientName' | 'authUser' | 'reversePath' | 'accepted' | 'discarded' | 'end'
  > {
  /** Of a discarded message, which no other line names; else null. */
  readonly recipients: readonly Recipient[] | null;
}

/** All that is at hand of one chain. */
export interface StoredChain {
  readonly facts: SessionFacts;
  /** In the order in which they were read. */
  readonly lines: readonly StoredLine[];
}

/** A line as it stands in the log. `order` grows with the lines read; `at` in ms, NaN where it has no time. */
export type StoredLine = ArenaRecord;

/** Bytes of lines in all. */
const LIMIT = 48 << 20;
/** Bytes of one life: a list with ten thousand recipients is not to take the room of thousands of messages. */
const MOST_OF_ONE = 1 << 20;

interface Over {
  readonly facts: SessionFacts;
  /** In the arena. */
  readonly lists: readonly number[];
  /** No line of it was lost while it was pending. */
  readonly whole: boolean;
}

/** Chains of one sort that are over, oldest first. */
interface Sort {
  readonly chains: Map<string, Over>;
  readonly most: number;
}

export class LineStore {
  readonly #arena: LineArena;
  /** Lists by serial of the life, in order of their first lines. */
  readonly #pending = new Map<number, number>();
  /** Lives whose lines are gone. */
  readonly #lost = new Set<number>();
  readonly #sorts: readonly Sort[];
  readonly #early = new Early<StoredLine>();
  #order = 0;
  /** Blocks of pending lives, and of chains that are over. */
  #pendingBlocks = 0;
  #overBlocks = 0;

  /** How many chains are kept when they are over, by sort; `limit` in bytes. */
  constructor(most: readonly number[], limit = LIMIT) {
    this.#arena = new LineArena(limit);
    this.#sorts = most.map((n) => ({ chains: new Map<string, Over>(), most: n }));
  }

  line(taken: TakenLine, joiner: Joiner): void {
    const { bytes, start, end } = taken;
    const { instant } = taken.head;
    this.#order += 1;
    const life = ownerOf(taken, joiner);
    if (life === null) {
      const key = keyOfEarly(taken);
      if (key !== null)
        this.#early.put(key, {
          order: this.#order,
          at: instant,
          bytes: Buffer.from(bytes.subarray(start, end)),
        });
      return;
    }
    const { serial } = life;
    if (this.#early.size > 0) this.#takeEarly(taken, life);
    this.#add(serial, this.#order, instant, bytes, start, end);
  }

  /** The chain is over; its lines can be asked for by this key as long as it is among the last of its sort. */
  keep(key: string, root: Life, sort: number): void {
    const lists: number[] = [];
    let whole = true;
    for (const { serial } of livesOf(root)) {
      if (this.#lost.delete(serial)) whole = false;
      const list = this.#pending.get(serial);
      if (list === undefined) continue;
      this.#pending.delete(serial);
      lists.push(list);
    }
    let blocks = 0;
    for (const list of lists) blocks += this.#arena.blocks(list);
    this.#pendingBlocks -= blocks;
    this.#overBlocks += blocks;
    const { chains, most } = this.#sorts[sort];
    const before = chains.get(key);
    if (before !== undefined) this.#drop(chains, key, before);
    chains.set(key, { facts: factsOf(root), lists, whole });
    if (chains.size > most) this.#dropOldest(chains);
  }

  /** The chain is over and nobody will ask for it. */
  forget(root: Life): void {
    for (const { serial } of livesOf(root)) {
      this.#lost.delete(serial);
      const list = this.#pending.get(serial);
      if (list === undefined) continue;
      this.#pending.delete(serial);
      this.#release(list);
    }
  }

  /** A chain that is over; null when its lines are not at hand. */
  of(key: string): StoredChain | null {
    for (const { chains } of this.#sorts) {
      const over = chains.get(key);
      if (over !== undefined) return over.whole ? this.#chain(over.facts, over.lists) : null;
    }
    return null;
  }

  /** The same for one that is pending. */
  ofPending(root: Life): StoredChain | null {
    const lists: number[] = [];
    for (const { serial } of livesOf(root)) {
      if (this.#lost.has(serial)) return null;
      const list = this.#pending.get(serial);
      if (list !== undefined) lists.push(list);
    }
    return this.#chain(factsOf(root), lists);
  }

  #chain(facts: SessionFacts, lists: readonly number[]): StoredChain | null {
    const lines = lists.flatMap((list) => this.#arena.records(list));
    return lines.length === 0 ? null : { facts, lines: lines.sort((a, b) => a.order - b.order) };
  }

  #takeEarly({ head, record, lineClass }: TakenLine, { serial, host, id, first }: Life): void {
    const keys: string[] = [];
    if (!this.#pending.has(serial)) keys.push(idKey(host, id));
    if (lineClass === RECORDED) {
      if (record.kind === QUEUE_INFO) keys.push(qpKey(head.host, record.qp));
      else {
        const text = asciiText(head.bytes, head.textStart, head.textEnd);
        if (isPart(text)) keys.push(partKey(head.host, text));
      }
    }
    for (const key of keys)
      for (const { order, at, bytes } of this.#early.take(key, first))
        this.#add(serial, order, at, bytes, 0, bytes.length);
  }

  #add(serial: number, order: number, at: number, bytes: Uint8Array, start: number, end: number): void {
    const arena = this.#arena;
    const need = LineArena.blocksFor(end - start) + 1;
    if (arena.free < need) this.#makeRoom(need);
    let list = this.#pending.get(serial);
    if (list === undefined && this.#lost.has(serial)) return;
    const before = list === undefined ? 0 : arena.blocks(list);
    if (arena.free < need || (before + need) * LineArena.BLOCK > MOST_OF_ONE) {
      this.#lose(serial, list);
      return;
    }
    if (list === undefined) {
      list = arena.begin();
      this.#pending.set(serial, list);
    }
    arena.add(list, order, at, bytes, start, end);
    this.#pendingBlocks += arena.blocks(list) - before;
  }

  #lose(serial: number, list: number | undefined): void {
    if (list !== undefined) this.#release(list);
    this.#pending.delete(serial);
    this.#lost.add(serial);
  }

  #release(list: number): void {
    this.#pendingBlocks -= this.#arena.blocks(list);
    this.#arena.release(list);
  }

  #makeRoom(need: number): void {
    // Some more than needed: looking for the oldest costs time.
    const wanted = need + 64;
    while (this.#arena.free < wanted && this.#overBlocks > this.#pendingBlocks) {
      const chains = this.#sorts.map((sort) => sort.chains).find(({ size }) => size > 0);
      if (chains === undefined) break;
      this.#dropOldest(chains);
    }
    if (this.#arena.free >= wanted) return;
    for (const [serial, list] of this.#pending) {
      this.#lose(serial, list);
      if (this.#arena.free >= wanted) return;
    }
  }

  #dropOldest(chains: Map<string, Over>): void {
    for (const [key, over] of chains) {
      this.#drop(chains, key, over);
      return;
    }
  }

  #drop(chains: Map<string, Over>, key: string, { lists }: Over): void {
    chains.delete(key);
    for (const list of lists) {
      this.#overBlocks -= this.#arena.blocks(list);
      this.#arena.release(list);
    }
  }
}

function factsOf(root: Life): SessionFacts {
  const { id, clientIp, clientName, authUser, reversePath, accepted, discarded, end } = root;
  // Copies: a life that is over may be another one later.
  const recipients = discarded ? root.recipients.map((r) => Object.assign(new Recipient(), r)) : null;
  return { id, clientIp, clientName, authUser, reversePath, accepted, discarded, end, recipients };
}
