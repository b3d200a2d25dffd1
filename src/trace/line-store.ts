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
import { ownerOf } from './keeper.ts';
import { type ArenaRecord, LineArena } from './line-arena.ts';

/** A root's id, and what other lines than its own may have told of it: its SMTP session, a message of the same number. */
export interface SessionFacts
  extends Pick<
    Life,
    | 'id'
    | 'clientIp'
    | 'clientName'
    | 'authUser'
    | 'origin'
    | 'reversePath'
    | 'begun'
    | 'arrived'
    | 'accepted'
    | 'refused'
    | 'discarded'
    | 'held'
    | 'end'
  > {
  /** Of a discarded or held message, which no other line names; else null. */
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
const LIMIT = 32 << 20;
/** Bytes of one life: a list with ten thousand recipients is not to take the room of thousands of messages. */
const MOST_OF_ONE = 1 << 20;

interface Over {
  readonly key: string;
  readonly facts: SessionFacts;
  /** In the arena; empty when they had to go. */
  lists: readonly number[];
  /** No line of it was lost. */
  whole: boolean;
}

/** The last chains of one sort that are over. */
interface Sort {
  readonly most: number;
  /** Used as a ring: `oldest` is the next to go once there are `most`. */
  readonly chains: Over[];
  oldest: number;
  /** From the oldest on, so many have lost their lines already. */
  gone: number;
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
    this.#sorts = most.map((n) => ({ most: n, chains: [], oldest: 0, gone: 0 }));
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
    // Put together from pieces of lines (container logs): this one alone does not say it all.
    if (taken.head.bytes !== bytes && taken.head.textEnd - taken.head.textStart > end - start)
      this.#lose(serial, this.#pending.get(serial));
    else this.#add(serial, this.#order, instant, bytes, start, end);
  }

  /** The chain is over; its lines can be asked for by this key as long as it is among the last of its sort. */
  keep(key: string, root: Life, sort: number): void {
    const lists: number[] = [];
    let whole = true;
    const take = ({ serial }: Life): void => {
      if (this.#lost.size > 0 && this.#lost.delete(serial)) whole = false;
      const list = this.#pending.get(serial);
      if (list === undefined) return;
      this.#pending.delete(serial);
      const blocks = this.#arena.blocks(list);
      this.#pendingBlocks -= blocks;
      this.#overBlocks += blocks;
      lists.push(list);
    };
    if (isAlone(root)) take(root);
    else for (const life of livesOf(root)) take(life);
    const over: Over = { key, facts: factsOf(root), lists, whole };
    const place = this.#sorts[sort];
    if (place.chains.length < place.most) place.chains.push(over);
    else {
      this.#empty(place.chains[place.oldest]);
      place.chains[place.oldest] = over;
      place.oldest = (place.oldest + 1) % place.most;
      if (place.gone > 0) place.gone -= 1;
    }
  }

  /** The chain is over and nobody will ask for it. */
  forget(root: Life): void {
    const drop = ({ serial }: Life): void => {
      if (this.#lost.size > 0) this.#lost.delete(serial);
      const list = this.#pending.get(serial);
      if (list === undefined) return;
      this.#pending.delete(serial);
      this.#release(list);
    };
    if (isAlone(root)) drop(root);
    else for (const life of livesOf(root)) drop(life);
  }

  /** Lines of this chain were read by somebody else: it cannot be told from those that come. */
  miss(root: Life): void {
    for (const { serial } of livesOf(root)) this.#lose(serial, this.#pending.get(serial));
  }

  /** A chain that is over; null when its lines are not at hand. */
  of(key: string): StoredChain | null {
    for (const { chains } of this.#sorts) {
      const over = chains.findLast((chain) => chain.key === key);
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

  #takeEarly({ head, record, lineClass }: TakenLine, life: Life): void {
    if (!this.#pending.has(life.serial)) this.#takeNamed(life, idKey(life.host, life.id));
    if (lineClass !== RECORDED) return;
    if (record.kind === QUEUE_INFO) this.#takeNamed(life, qpKey(head.host, record.qp));
    else if (mayBePart(head)) {
      const text = asciiText(head.bytes, head.textStart, head.textEnd);
      if (isPart(text)) this.#takeNamed(life, partKey(head.host, text));
    }
  }

  #takeNamed({ serial, first }: Life, key: string): void {
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
    for (const sort of this.#sorts) {
      const { chains, oldest } = sort;
      while (this.#overBlocks > this.#pendingBlocks && sort.gone < chains.length) {
        if (this.#arena.free >= wanted) return;
        this.#empty(chains[(oldest + sort.gone) % chains.length]);
        sort.gone += 1;
      }
    }
    if (this.#arena.free >= wanted) return;
    for (const [serial, list] of this.#pending) {
      this.#lose(serial, list);
      if (this.#arena.free >= wanted) return;
    }
  }

  #empty(over: Over): void {
    for (const list of over.lists) {
      this.#overBlocks -= this.#arena.blocks(list);
      this.#arena.release(list);
    }
    over.lists = NONE;
    over.whole = false;
  }
}

const NONE: readonly number[] = [];
const BRACKET_OPEN = 0x5b;
const COLON = 0x3a;

/** Whether a bracket stands before the first colon, which is cheaper to know than a text to make. */
function mayBePart({ bytes, textStart, textEnd }: TakenLine['head']): boolean {
  const end = Math.min(textEnd, textStart + 24);
  for (let i = textStart; i < end; i += 1) {
    if (bytes[i] === BRACKET_OPEN) return true;
    if (bytes[i] === COLON) return false;
  }
  return false;
}

/** Most messages have one id only, and walking a tree costs more than all else here. */
function isAlone(root: Life): boolean {
  return root.next.length === 0 && root.dsns.length === 0;
}

function factsOf(root: Life): SessionFacts {
  const { discarded, held } = root;
  return {
    id: root.id,
    clientIp: root.clientIp,
    clientName: root.clientName,
    authUser: root.authUser,
    origin: root.origin,
    reversePath: root.reversePath,
    begun: root.begun,
    arrived: root.arrived,
    accepted: root.accepted,
    refused: root.refused,
    discarded,
    held,
    end: root.end,
    // Copies: a life that is over may be another one later.
    recipients: discarded || held ? root.recipients.map((r) => Object.assign(new Recipient(), r)) : null,
  };
}
