/**
 * Is this word a syslog tag, and where does it end?
 *
 * Owns the shapes of tags. Must not know which program a tag belongs to.
 */
import {
  BRACKET_CLOSE,
  BRACKET_OPEN,
  COLON,
  DOT,
  decimal,
  isBlank,
  isLetter,
  SLASH,
  SPACE,
} from './bytes.ts';

const LONGEST_TAG = 128;
const LARGEST_PID = 0xffffffff;

/** One reused object: what was found stands in its fields. */
export class TagScanner {
  nameStart = 0;
  nameEnd = 0;
  /** 0 when there is none, or none that is a number. */
  pid = 0;
  /** The byte behind the tag, its pid and its colon. */
  next = 0;

  /**
   * Is the word at `at` a tag? `name:`, `name[pid]:`, `name[pid]` (colon missing), `[name]`. Sets nameStart, nameEnd,
   * pid and next. A colon inside the word (IPv6 host, `mail:info`) makes it none, unless a pid stands before it.
   */
  at(bytes: Uint8Array, at: number, end: number): boolean {
    if (bytes[at] === BRACKET_OPEN) return this.inBrackets(bytes, at, end);
    let next = at;
    while (next < end && bytes[next] > SPACE && !isTagEnd(bytes[next])) next++;
    if (next === at || next >= end || next - at > LONGEST_TAG) return false;
    this.nameStart = at;
    this.nameEnd = next;
    this.pid = 0;
    if (bytes[next] === COLON) {
      this.next = next + 1;
      return next + 1 >= end || isBlank(bytes[next + 1]);
    }
    if (bytes[next] !== BRACKET_OPEN) return false;
    const close = bracketClose(bytes, next, end);
    if (close < 0) return false;
    this.pid = pidOf(bytes, next + 1, close);
    this.next = close + 1;
    if (close + 1 >= end || isBlank(bytes[close + 1])) return true;
    this.next = close + 2;
    return bytes[close + 1] === COLON;
  }

  //  Dec 18 16:15:28 [postfix/smtpd] 00a2 - <SPACES/NULLS>
  //                  ^at
  private inBrackets(bytes: Uint8Array, at: number, end: number): boolean {
    const close = bracketClose(bytes, at, end);
    if (close < 0 || close - at > LONGEST_TAG || !isLetter(bytes[at + 1])) return false;
    const name = bytes.subarray(at + 1, close);
    // `[mx.example.com]`, `[fe80::1]` are hosts.
    if (name.includes(COLON) || (name.includes(DOT) && !name.includes(SLASH))) return false;
    this.nameStart = at + 1;
    this.nameEnd = close;
    this.pid = 0;
    this.next = bytes[close + 1] === COLON ? close + 2 : close + 1;
    return this.next >= end || isBlank(bytes[this.next]);
  }
}

function isTagEnd(byte: number): boolean {
  return byte === COLON || byte === BRACKET_OPEN || byte === BRACKET_CLOSE;
}

/** The bracket that closes the one at `at` within the same word, or -1. */
function bracketClose(bytes: Uint8Array, at: number, end: number): number {
  let next = at + 1;
  while (next < end && bytes[next] > SPACE && bytes[next] !== BRACKET_CLOSE) next++;
  return next < end && bytes[next] === BRACKET_CLOSE ? next : -1;
}

export function pidOf(bytes: Uint8Array, at: number, end: number): number {
  const pid = decimal(bytes, at, end);
  return pid > 0 && pid <= LARGEST_PID ? pid : 0;
}
