/**
 * Postfix: mail that pipe(8) gives to a command, which may hand it in again through sendmail(1), once for each time that it
 * is started.
 *
 * Nothing joins the two but the Message-ID, and either may be in the log first. So those of one Message-ID are matched anew
 * whenever one more is known, by who came first and not by the order of the lines: pieces of a log that are merged give what
 * the whole gives.
 */
import { ORIGIN_LOCAL, POSTFIX } from '../records/record.ts';
import { EMPTY_MESSAGE_ID } from './keys.ts';
import { COMES_BACK_WITHIN, CONTINUES, claimable, type Life, OUT_OF_ORDER } from './life.ts';
import { limit } from './limit.ts';

/** With one Message-ID; more of them are not looked at. Both are gone through whenever one of several goes out again. */
const MOST_OUT = 16;
const MOST_BACK = 200;
/** A list that hands in a copy for each of its members looks like a filter behind a filter: so deep is none. */
const MOST_FILTERS = 8;

interface OneMessageId {
  readonly out: Life[];
  readonly back: Life[];
}

export class PipedMail {
  readonly #byMessageId = new Map<number, OneMessageId>();
  #out = 0;

  /** Messages that went through pipe(8) and may come back; what is over counts until the next sweep. */
  get out(): number {
    return this.#out;
  }

  /** Takes the life in, as what it is by now: gone out, handed in here, or neither. */
  add(life: Life): void {
    const isOut = life.messageKey !== 0 && life.passes.length > 0;
    const isBack = mayBeBack(life);
    if (!isOut && !isBack) return;
    let known = this.#byMessageId.get(life.messageKey);
    if (known === undefined) {
      limit(this.#byMessageId);
      known = { out: [], back: [] };
      this.#byMessageId.set(life.messageKey, known);
    }
    if (isOut && known.out.length < MOST_OUT && !known.out.includes(life)) {
      known.out.push(life);
      this.#out += 1;
    }
    if (isBack && known.back.length < MOST_BACK && !known.back.includes(life)) known.back.push(life);
  }

  /** What came back, and what it came back from, of this life's Message-ID, of which this life is the last to speak. */
  matches(life: Life): Map<Life, Life> {
    const matched = new Map<Life, Life>();
    const known = this.#byMessageId.get(life.messageKey);
    if (known === undefined) return matched;
    keep(known.out, life.messageKey);
    keep(known.back, life.messageKey);
    const out = known.out.sort(byAge);
    // Nearly always one, and no other one's output is concerned.
    const isAlone = out.length === 1 && out[0] !== life;
    const taken = new Map<Life, number>();
    for (const back of isAlone ? [life] : known.back.sort(byAge)) {
      if (!mayBeBack(back)) continue;
      // A link by id says more.
      if (back.parent !== null && (back.relation !== CONTINUES || !out.includes(back.parent))) continue;
      let from: Life | null = null;
      for (const older of out) {
        if (!mayComeFrom(back, older) || descends(older, back, matched)) continue;
        // The command was started no more often than that.
        if ((taken.get(older) ?? 0) >= older.passes.length) continue;
        from = older;
        break;
      }
      if (from === null) continue;
      taken.set(from, (taken.get(from) ?? 0) + 1);
      matched.set(back, from);
    }
    return matched;
  }

  sweep(): void {
    this.#out = 0;
    for (const [key, { out, back }] of this.#byMessageId) {
      keep(out, key);
      keep(back, key);
      this.#out += out.length;
      if (out.length + back.length === 0) this.#byMessageId.delete(key);
    }
  }
}

/** Handed in on this host, with a Message-ID by which a command's output is known. */
function mayBeBack(life: Life): boolean {
  return (
    life.mta === POSTFIX &&
    life.origin === ORIGIN_LOCAL &&
    life.messageKey !== 0 &&
    life.messageKey !== EMPTY_MESSAGE_ID
  );
}

function mayComeFrom(back: Life, out: Life): boolean {
  return (
    back !== out &&
    back.host === out.host &&
    back.first >= out.first - OUT_OF_ORDER &&
    back.first - out.first <= COMES_BACK_WITHIN &&
    claimable(out, back.first)
  );
}

/** Whether `life` is what `back` goes on as, or came back too often itself. */
function descends(life: Life, back: Life, matched: ReadonlyMap<Life, Life>): boolean {
  let filters = 0;
  for (let up: Life | null = life; up !== null; up = matched.get(up) ?? up.parent) {
    if (up === back || filters > MOST_FILTERS) return true;
    filters += 1;
  }
  return false;
}

/** The same order whatever the order of the lines was. */
function byAge(a: Life, b: Life): number {
  return a.first - b.first || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
}

/** Those that are not over, nor given back (life.ts). */
function keep(lives: Life[], messageKey: number): void {
  let kept = 0;
  for (const life of lives) if (!life.retired && life.messageKey === messageKey) lives[kept++] = life;
  lives.length = kept;
}
