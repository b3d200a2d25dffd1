/**
 * The lines of the lives that have not ended: what a trace is made of once its chain is found.
 *
 * A chain is known to match only when it is over (the id asked for may be that of its last DSN), so the lines of every
 * pending life are kept until then, and no longer. Memory is bounded: beyond the limit the oldest lives lose theirs,
 * which are counted; whoever wants them reads the input again with `only`. Must not know what is looked for.
 */
import type { TakenLine } from '../analysis/analysis.ts';
import type { Joiner } from '../chains/joiner.ts';
import { checkOf, claimable, type Life, MESSAGE_NUMBER, QUEUE_ID } from '../chains/life.ts';
import { livesOf } from '../chains/view.ts';
import type { Tag } from '../lines/head.ts';
import { PART, PROXY_ACCEPT, QMAIL, QP_CLIENT, QUEUE_INFO, RECORDED } from '../records/record.ts';
import { asciiText, idCheck, idHash } from '../records/text.ts';
import { Early, idKey, isPart, keyOfEarly, PART_FRONT, partKey, qpKey } from './early.ts';

/** One line of a life, with what is needed to read it again. Texts hold one byte a character (latin1). */
export interface KeptLine {
  readonly at: number;
  readonly tag: Tag;
  readonly host: number;
  readonly pid: number;
  readonly sploggerStamp: number;
  readonly continuation: boolean;
  /** False for a line that gave no fact: a warning, a milter's or another program's word about the id. */
  readonly recorded: boolean;
  /** The MTA's own text. */
  readonly text: string;
  /** The lines as they stand in the log (several for one in parts); empty unless asked for. */
  readonly raw: readonly string[];
}

export interface KeptLife {
  readonly lines: readonly KeptLine[];
  /** Lines that were dropped to stay within the limit. */
  readonly lost: number;
}

export interface KeeperOptions {
  readonly raw: boolean;
  /** Characters kept at the most. */
  readonly limit?: number;
  /** Keep the lines of these lives only, by their number in order of beginning. */
  readonly only?: ReadonlySet<number>;
}

interface Kept {
  lines: KeptLine[];
  lost: number;
  size: number;
}

const LIMIT = 96 << 20;
/** What a line costs beside its text. */
const LINE_COST = 100;
const NO_RAW: readonly string[] = [];

export class Keeper {
  readonly #kept = new Map<number, Kept>();
  readonly #raw: boolean;
  readonly #limit: number;
  readonly #only: ReadonlySet<number> | undefined;
  readonly #early = new Early<KeptLine>();
  #size = 0;
  /** Serial of the first life seen: numbers count from it, so that they are the same when the input is read again. */
  #base = -1;

  constructor(options: KeeperOptions) {
    this.#raw = options.raw;
    this.#limit = options.limit ?? LIMIT;
    this.#only = options.only;
  }

  /** Number of a life in order of beginning. */
  numberOf(life: Life): number {
    return life.serial - this.#base;
  }

  line(taken: TakenLine, joiner: Joiner): void {
    const { record, lineClass } = taken;
    const recorded = lineClass === RECORDED;
    const life = ownerOf(taken, joiner);
    if (life === null) {
      const key = keyOfEarly(taken);
      if (key !== null) this.#early.put(key, this.#keep(taken, joiner, true));
      return;
    }
    if (this.#base < 0) this.#base = life.serial;
    if (this.#only !== undefined && !this.#only.has(life.serial - this.#base)) return;
    let kept = this.#kept.get(life.serial);
    if (kept === undefined) {
      kept = { lines: [], lost: 0, size: 0 };
      this.#kept.set(life.serial, kept);
      if (this.#early.size > 0) this.#takeEarly(kept, idKey(life.host, life.id), life.first);
    }
    if (kept.lost > 0) {
      kept.lost += 1;
      return;
    }
    let line = this.#keep(taken, joiner, recorded);
    if (recorded && record.kind === QUEUE_INFO) {
      this.#takeEarly(kept, qpKey(taken.head.host, record.qp), line.at);
    } else if (recorded && this.#early.size > 0 && isPart(line.text)) {
      line = this.#join(line);
    }
    this.#add(kept, line);
    if (this.#size > this.#limit) this.#shrink();
  }

  /** The lines of a life, in the order in which they were read. */
  of(life: Life): KeptLife {
    return this.#kept.get(life.serial) ?? { lines: [], lost: 0 };
  }

  /** The chain is over: its lines are no longer needed. */
  forget(root: Life): void {
    for (const life of livesOf(root)) {
      const kept = this.#kept.get(life.serial);
      if (kept === undefined) continue;
      this.#size -= kept.size;
      this.#kept.delete(life.serial);
    }
  }

  #add(kept: Kept, line: KeptLine): void {
    kept.lines.push(line);
    let size = LINE_COST + line.text.length;
    for (const raw of line.raw) size += raw.length;
    kept.size += size;
    this.#size += size;
  }

  #keep({ head, bytes, start, end }: TakenLine, joiner: Joiner, recorded: boolean): KeptLine {
    return {
      at: Number.isNaN(head.instant) ? Math.max(0, joiner.state.now) : head.instant,
      tag: head.tag,
      host: head.host,
      pid: head.pid,
      sploggerStamp: head.sploggerStamp,
      continuation: head.continuation,
      recorded,
      text: asciiText(head.bytes, head.textStart, head.textEnd),
      raw: this.#raw ? [asciiText(bytes, start, end)] : NO_RAW,
    };
  }

  /** The oldest lives lose their lines: what is still pending after so much else has waited long. */
  #shrink(): void {
    for (const kept of this.#kept.values()) {
      if (this.#size <= this.#limit / 2) return;
      kept.lost += kept.lines.length;
      kept.lines = [];
      this.#size -= kept.size;
      kept.size = 0;
    }
  }

  #takeEarly(kept: Kept, key: string, at: number): void {
    for (const line of this.#early.take(key, at)) this.#add(kept, line);
  }

  /** The last part of a line: the whole, under the raw lines of all parts. */
  #join(last: KeptLine): KeptLine {
    const parts = this.#early.take(partKey(last.host, last.text), last.at);
    if (parts.length === 0) return last;
    const all = [...parts, last];
    const id = last.text.slice(0, last.text.indexOf('['));
    const text = `${id}: ${all.map((part) => part.text.replace(PART_FRONT, '').replace(PART_END, '')).join('')}`;
    return { ...last, text, raw: all.flatMap((part) => part.raw) };
  }
}

const PART_END = / \.\.\.$/;

/** The life that a line belongs to, also where the line changed nothing of it; null where there is none (yet). */
export function ownerOf(taken: TakenLine, joiner: Joiner): Life | null {
  if (taken.life !== null) return taken.life;
  if (taken.lineClass !== RECORDED) return lifeInFront(taken, joiner);
  const { kind } = taken.record;
  return kind === PART || kind === QP_CLIENT ? null : lifeNamed(taken, joiner);
}

/** The life that a proxy's `queued as QID` names. */
export function acceptedByProxy({ head, record, lineClass }: TakenLine, joiner: Joiner): Life | null {
  if (lineClass !== RECORDED || record.kind !== PROXY_ACCEPT) return null;
  const { start, end } = record.other;
  const check = checkOf(idCheck(head.bytes, start, end), QUEUE_ID);
  return pending(joiner, idHash(head.bytes, start, end), check, head.host, head.instant);
}

/** A recorded line that changed nothing, the same once more for instance: the life that its id names. */
function lifeNamed({ head, record }: TakenLine, joiner: Joiner): Life | null {
  if (!record.id.present) return null;
  const space = record.mta === QMAIL ? MESSAGE_NUMBER : QUEUE_ID;
  return pending(joiner, record.idHash, checkOf(record.idCheck, space), head.host, head.instant);
}

/** `QID: ...` of whatever program: cleanup's warnings, OpenDKIM, a milter. */
function lifeInFront({ head }: TakenLine, joiner: Joiner): Life | null {
  const { bytes, textStart, textEnd } = head;
  const most = Math.min(textEnd - 1, textStart + 24);
  let i = textStart;
  while (i < most && isIdByte(bytes[i])) i += 1;
  if (i - textStart < 5 || bytes[i] !== COLON || bytes[i + 1] !== SPACE) return null;
  const check = checkOf(idCheck(bytes, textStart, i), QUEUE_ID);
  return pending(joiner, idHash(bytes, textStart, i), check, head.host, head.instant);
}

function pending(joiner: Joiner, hash: number, check: number, host: number, instant: number): Life | null {
  const at = Number.isNaN(instant) ? joiner.state.now : instant;
  for (let life = joiner.state.table.find(hash, check); life !== null; life = life.older)
    if (life.host === host && claimable(life, at)) return life;
  return null;
}

const COLON = 0x3a;
const SPACE = 0x20;

function isIdByte(c: number): boolean {
  return (c >= 0x30 && c <= 0x39) || (c >= 0x41 && c <= 0x5a) || (c >= 0x61 && c <= 0x7a);
}
