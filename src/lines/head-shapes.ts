/**
 * Every shape that the head of a line can have, read without haste (log-formats.md 1.1, 1.2, 1.5, 1.7).
 *
 * Owns the order in which the parts of a head may stand, and the rules for a missing host, tag, pid or colon.
 * The three common shapes never come here: HeadParser reads them. Never throws, whatever the bytes.
 */
import {
  AT,
  BACKSLASH,
  BRACE_OPEN,
  BRACKET_CLOSE,
  BRACKET_OPEN,
  COLON,
  DASH,
  DOT,
  decimal,
  digitsEnd,
  GREATER,
  isDigit,
  LESS,
  NUL,
  needle,
  PLUS,
  QUOTE,
  SPACE,
  skipBlanks,
  startsWith,
  trimmedEnd,
  wordEnd,
} from './bytes.ts';
import type { Clock } from './clock.ts';
import { type LineHead, NO_INSTANT, REPEAT_LAST, REPEAT_TEXT, type Tag } from './head.ts';
import type { Names } from './names.ts';
import { monthAt, StampReader } from './stamps.ts';
import { pidOf, TagScanner } from './tag-scanner.ts';
import type { Tags } from './tags.ts';
import { composeTextStart, type JournalEntry, readCriPrefix, readJson } from './wrappers.ts';

const LONGEST_SOLARIS_ID = 64;
const LONGEST_HOST = 255;
/** A forged count must not multiply into nonsense. */
const MOST_REPEATS = 1_000_000;
/** Wrappers inside wrappers: compose around Docker's stamp around a line. */
const DEEPEST = 4;
/** Pieces of one line that a container runtime cut, joined up to here. */
const LONGEST_JOINED = 262144;

const BYTE_ORDER_MARK = needle('\xef\xbb\xbf');
const SEPARATOR = needle('-- ');
const SOLARIS_ID = needle('[ID ');
const MESSAGE_REPEATED = needle('message repeated ');
const TIMES = needle(' times: [');
const LAST_MESSAGE = needle('last message ');
const MACOS_DASHES = needle('--- ');
const OUR_NAMES = ['postfix', '/postfix-script', 'sendmail', 'sm-', 'qmail'].map(needle);
const QMAIL = needle('qmail');
/** First words of qmail-send's own lines whose second word looks like a tag (`double bounce: discarding …`). */
const NOT_HOSTS = ['delivery', 'double', 'triple', 'internal', 'starting', 'cannot', 'unable'].map(needle);

const FACILITIES = new Set(
  (
    'kern user mail daemon auth syslog lpr news uucp cron authpriv security ftp ntp audit console ' +
    'local0 local1 local2 local3 local4 local5 local6 local7'
  ).split(' '),
);
const SEVERITIES = new Set('emerg panic alert crit err error warning warn notice info debug'.split(' '));

export class HeadShapes {
  private readonly head: LineHead;
  private readonly hosts: Names;
  private readonly tags: Tags;
  private readonly stamp: StampReader;
  private readonly separatorTag: Tag;
  /** Pieces of cut lines, by stream. */
  private readonly pieces = new Map<string, Buffer>();

  private readonly scan = new TagScanner();
  /** The instant of this head needs no year or zone from us. */
  private absolute = false;
  private depth = 0;

  constructor(head: LineHead, clock: Clock, hosts: Names, tags: Tags) {
    this.head = head;
    this.hosts = hosts;
    this.tags = tags;
    this.stamp = new StampReader(clock);
    this.separatorTag = tags.named('journalctl');
  }

  /** Reads the head of a whole line; false when there is none. The text range is the line then. */
  read(bytes: Uint8Array, start: number, end: number): boolean {
    this.depth = 0;
    return this.line(bytes, start, trimmedEnd(bytes, start, end));
  }

  /** Reads on behind the host: `mail.info` of busybox and AIX, tag, text. */
  afterHost(bytes: Uint8Array, at: number, end: number): boolean {
    at = skipBlanks(bytes, at, end);
    const word = wordEnd(bytes, at, end);
    if (isPriority(bytes, at, word)) at = skipBlanks(bytes, word, end);
    if (this.scan.at(bytes, at, end)) return this.takeTag(bytes, end);
    return this.text(bytes, at, end);
  }

  /** Reads what may stand before the MTA's text: Solaris' id, repeat words, splogger's stamp. The tag is known. */
  text(bytes: Uint8Array, at: number, end: number): boolean {
    const head = this.head;
    at = skipBlanks(bytes, at, end);
    if (startsWith(bytes, at, end, SOLARIS_ID)) {
      const limit = Math.min(end, at + LONGEST_SOLARIS_ID);
      let close = at;
      while (close < limit && bytes[close] !== BRACKET_CLOSE) close++;
      if (close < limit) at = skipBlanks(bytes, close + 1, end);
    }
    head.textStart = at;
    head.textEnd = end;
    if (this.messageRepeated(bytes, at, end)) return true;
    const program = head.tag.program;
    if (program === 'postfix' || program === 'sendmail') return true;
    if (isDigit(bytes[at])) this.splogger(bytes, at, end);
    else this.lastMessageRepeated(bytes, at, end);
    return true;
  }

  /** `bytes[start, end)` is a line, or what was inside a wrapper. */
  private line(bytes: Uint8Array, start: number, end: number): boolean {
    this.reset(bytes, start, end);
    let at = start;
    while (at < end && bytes[at] === NUL) at++;
    if (startsWith(bytes, at, end, BYTE_ORDER_MARK)) at += BYTE_ORDER_MARK.length;
    at = skipBlanks(bytes, at, end);
    this.head.textStart = at;
    if (at >= end || startsWith(bytes, at, end, SEPARATOR)) return this.ignore(end);
    if (bytes[at] === BRACE_OPEN) return this.json(bytes, at, end);
    if (bytes[at] === LESS) {
      //  <22>
      const close = digitsEnd(bytes, at + 1, end);
      if (close - at < 2 || close - at > 4 || bytes[close] !== GREATER) return false;
      at = close + 1;
    }
    return (
      this.rfc5424(bytes, at, end) ||
      this.stamped(bytes, at, end) ||
      this.collected(bytes, at, end) ||
      this.composed(bytes, at, end) ||
      this.tagOnly(bytes, at, end)
    );
  }

  private reset(bytes: Uint8Array, start: number, end: number): void {
    this.head.begin(bytes, NO_INSTANT);
    this.head.textStart = start;
    this.head.textEnd = end;
    this.absolute = false;
  }

  /** A line that is no record of any program: empty, a separator of journalctl, a piece of a cut line. */
  private ignore(end: number): boolean {
    this.head.tag = this.separatorTag;
    this.head.textStart = end;
    this.head.textEnd = end;
    return true;
  }

  private stamped(bytes: Uint8Array, at: number, end: number): boolean {
    const stamp = this.stamp;
    if (!stamp.read(bytes, at, end)) return false;
    const instant = stamp.instant;
    const isTai = bytes[at] === AT;
    at = skipBlanks(bytes, stamp.end, end);
    if (stamp.absolute) {
      const cri = isTai ? null : readCriPrefix(bytes, at, end);
      if (cri !== null) {
        return this.piece(bytes.subarray(cri.textStart, end), cri.stream, cri.partial, instant);
      }
      if (looksStamped(bytes, at, end)) return this.wrapped(bytes, at, end, instant);
    }
    this.head.instant = instant;
    this.absolute = stamp.absolute;
    if (!stamp.bare) return this.origin(bytes, at, end);
    // Of the bare stamps only journalctl's epoch (microseconds) may have a host behind it.
    return this.bare(bytes, at, end, stamp.precision === 6);
  }

  /** Behind a syslog stamp: `<mail.info>` of BSD, host (or none), and on. */
  private origin(bytes: Uint8Array, at: number, end: number): boolean {
    at = skipBlanks(bytes, at, end);
    if (bytes[at] === LESS) {
      const word = wordEnd(bytes, at, end);
      if (bytes[word - 1] === GREATER && bytes.subarray(at, word).includes(DOT))
        at = skipBlanks(bytes, word, end);
    }
    if (this.lastMessageRepeated(bytes, at, end)) return true;
    if (this.scan.at(bytes, at, end)) return this.takeTag(bytes, end);
    const word = wordEnd(bytes, at, end);
    if (isPriority(bytes, at, word)) return this.afterHost(bytes, at, end);
    if (word - at <= LONGEST_HOST) this.head.host = this.hosts.number(bytes, at, word);
    return this.afterHost(bytes, word, end);
  }

  /**
   * Behind a stamp that usually has neither host nor tag behind it. A tag is believed if it is one of ours; any
   * `host tag:` where a host is possible at all (journalctl short-unix).
   */
  private bare(bytes: Uint8Array, at: number, end: number, hostPossible: boolean): boolean {
    if (this.scan.at(bytes, at, end)) {
      return this.isOurs(bytes) ? this.takeTag(bytes, end) : this.text(bytes, at, end);
    }
    const word = wordEnd(bytes, at, end);
    const second = skipBlanks(bytes, word, end);
    if (hostPossible && word < end && word - at <= LONGEST_HOST && this.scan.at(bytes, second, end)) {
      const notTag = isDigit(bytes[second]) || NOT_HOSTS.some((no) => startsWith(bytes, at, end, no));
      if (!notTag || this.scan.pid > 0) {
        this.head.host = this.hosts.number(bytes, at, word);
        return this.takeTag(bytes, end);
      }
    }
    return this.text(bytes, at, end);
  }

  /** Without stamp: `qmail: new msg 53`, `postfix/postlog: starting the Postfix mail system`. */
  private tagOnly(bytes: Uint8Array, at: number, end: number): boolean {
    if (!this.scan.at(bytes, at, end) || !this.isOurs(bytes)) return false;
    return this.takeTag(bytes, end);
  }

  //  <22>1 2026-11-21T01:58:41.245716+00:00 mx postfix 24 - -  connect from unknown[198.51.100.7]
  //        ^at
  private rfc5424(bytes: Uint8Array, at: number, end: number): boolean {
    const versionEnd = digitsEnd(bytes, at, end);
    if (versionEnd === at || versionEnd - at > 2 || bytes[versionEnd] !== SPACE) return false;
    at = versionEnd + 1;
    if (bytes[at] === DASH && bytes[at + 1] === SPACE) at++;
    else if (this.stamp.read(bytes, at, end) && this.stamp.absolute) {
      this.head.instant = this.stamp.instant;
      this.absolute = true;
      at = this.stamp.end;
    } else return false;
    const hostStart = skipBlanks(bytes, at, end);
    const hostEnd = wordEnd(bytes, hostStart, end);
    const appStart = skipBlanks(bytes, hostEnd, end);
    const appEnd = wordEnd(bytes, appStart, end);
    const pidStart = skipBlanks(bytes, appEnd, end);
    const pidEnd = wordEnd(bytes, pidStart, end);
    const idEnd = wordEnd(bytes, skipBlanks(bytes, pidEnd, end), end);
    if (!isNil(bytes, hostStart, hostEnd)) this.head.host = this.hosts.number(bytes, hostStart, hostEnd);
    if (!isNil(bytes, appStart, appEnd)) this.head.tag = this.tags.tag(bytes, appStart, appEnd);
    this.head.pid = pidOf(bytes, pidStart, pidEnd);
    at = structuredDataEnd(bytes, skipBlanks(bytes, idEnd, end), end);
    at = skipBlanks(bytes, at, end);
    if (startsWith(bytes, at, end, BYTE_ORDER_MARK)) at += BYTE_ORDER_MARK.length;
    return this.text(bytes, at, end);
  }

  //  - 1131566491 2005.11.09 eadmin1 Nov 9 12:01:31 src@eadmin1 sendmail[4306]: …
  //  ^at (or an alert category)
  private collected(bytes: Uint8Array, at: number, end: number): boolean {
    const epochStart = wordEnd(bytes, at, Math.min(end, at + 20)) + 1;
    const epochEnd = digitsEnd(bytes, epochStart, end);
    if (epochEnd - epochStart < 8 || epochEnd - epochStart > 10 || bytes[epochEnd] !== SPACE) return false;
    const date = epochEnd + 1;
    if (
      decimal(bytes, date, Math.min(end, date + 4)) < 0 ||
      bytes[date + 4] !== DOT ||
      bytes[date + 7] !== DOT
    )
      return false;
    const node = skipBlanks(bytes, wordEnd(bytes, date, end), end);
    const stampStart = skipBlanks(bytes, wordEnd(bytes, node, end), end);
    if (!this.stamp.read(bytes, stampStart, end)) return false;
    this.head.instant = decimal(bytes, epochStart, epochEnd) * 1000;
    this.absolute = true;
    return this.origin(bytes, this.stamp.end, end);
  }

  private composed(bytes: Uint8Array, at: number, end: number): boolean {
    const inner = composeTextStart(bytes, at, end);
    return inner >= 0 && this.wrapped(bytes, inner, end, NO_INSTANT);
  }

  private json(bytes: Uint8Array, at: number, end: number): boolean {
    const entry = readJson(bytes, at, end);
    if (entry === null) return false;
    if (entry.kind === 'journal') return this.journal(entry);
    const time = this.stamp.read(entry.time, 0, entry.time.length) ? this.stamp.instant : NO_INSTANT;
    return this.piece(entry.line, entry.stream, entry.partial, time);
  }

  private journal(entry: JournalEntry): boolean {
    const head = this.head;
    const end = trimmedEnd(entry.message, 0, entry.message.length);
    if (entry.fromContainer) this.wrapped(entry.message, 0, end, entry.instant);
    else {
      this.reset(entry.message, 0, end);
      head.instant = entry.instant;
      head.tag = this.tags.named(entry.identifier);
      head.pid = entry.pid;
      this.text(entry.message, 0, end);
    }
    if (head.host === 0) {
      const host = Buffer.from(entry.host);
      head.host = this.hosts.number(host, 0, host.length);
    }
    this.absolute = true;
    return true;
  }

  /** A line, or a piece of one, that a container runtime stamped with `instant`. */
  private piece(line: Uint8Array, stream: string, partial: boolean, instant: number): boolean {
    const before = this.pieces.get(stream);
    if (partial) {
      const joined = before === undefined ? Buffer.from(line) : Buffer.concat([before, line]);
      this.pieces.set(stream, joined.subarray(0, LONGEST_JOINED));
      return this.ignore(this.head.textEnd);
    }
    if (before === undefined) return this.wrapped(line, 0, line.length, instant);
    this.pieces.delete(stream);
    const joined = Buffer.concat([before, line]);
    return this.wrapped(joined, 0, joined.length, instant);
  }

  /**
   * Reads what is inside a wrapper. A stamp in there counts only if it is absolute: the wrapper's own has year,
   * zone and fraction, and was taken in the same moment.
   */
  private wrapped(bytes: Uint8Array, start: number, end: number, instant: number): boolean {
    end = trimmedEnd(bytes, start, end);
    const readable = ++this.depth < DEEPEST && this.line(bytes, start, end);
    if (!readable) {
      if (Number.isNaN(instant)) return false;
      this.reset(bytes, start, end);
      this.head.instant = instant;
      this.absolute = true;
      return this.bare(bytes, skipBlanks(bytes, start, end), end, false);
    }
    if (!Number.isNaN(instant) && (!this.absolute || Number.isNaN(this.head.instant))) {
      this.head.instant = instant;
      this.absolute = true;
    }
    return true;
  }

  private takeTag(bytes: Uint8Array, end: number): boolean {
    this.head.tag = this.tags.tag(bytes, this.scan.nameStart, this.scan.nameEnd);
    this.head.pid = this.scan.pid;
    return this.text(bytes, Math.min(this.scan.next, end), end);
  }

  private isOurs(bytes: Uint8Array): boolean {
    const { nameStart, nameEnd } = this.scan;
    if (!OUR_NAMES.some((name) => startsWith(bytes, nameStart, nameEnd, name))) return false;
    // `qmail-lspawn: …` without pid is text of qmail's; only splogger writes `qmail: `.
    return (
      this.scan.pid > 0 ||
      !startsWith(bytes, nameStart, nameEnd, QMAIL) ||
      nameEnd - nameStart === QMAIL.length
    );
  }

  //  message repeated 4 times: [ connect from unknown[198.51.100.7]]
  private messageRepeated(bytes: Uint8Array, at: number, end: number): boolean {
    if (!startsWith(bytes, at, end, MESSAGE_REPEATED)) return false;
    const count = at + MESSAGE_REPEATED.length;
    const countEnd = digitsEnd(bytes, count, end);
    if (countEnd === count || !startsWith(bytes, countEnd, end, TIMES)) return false;
    const close = bytes[end - 1] === BRACKET_CLOSE ? end - 1 : end;
    this.head.repeat = REPEAT_TEXT;
    this.head.times = Math.min(decimal(bytes, count, countEnd), MOST_REPEATS);
    this.head.textStart = skipBlanks(bytes, countEnd + TIMES.length, close);
    this.head.textEnd = trimmedEnd(bytes, this.head.textStart, close);
    return true;
  }

  //  last message repeated 4 times        --- last message repeated 2 times ---
  private lastMessageRepeated(bytes: Uint8Array, at: number, end: number): boolean {
    if (startsWith(bytes, at, end, MACOS_DASHES)) at += MACOS_DASHES.length;
    if (!startsWith(bytes, at, end, LAST_MESSAGE)) return false;
    //            repeated, buffered
    const count = skipBlanks(bytes, wordEnd(bytes, at + LAST_MESSAGE.length, end), end);
    const countEnd = digitsEnd(bytes, count, end);
    if (countEnd === count) return false;
    this.head.repeat = REPEAT_LAST;
    this.head.times = Math.min(decimal(bytes, count, countEnd), MOST_REPEATS);
    this.head.textStart = end;
    this.head.textEnd = end;
    return true;
  }

  //  1795226267.923730 new msg 2253869        1795226267.923730+rest of an over-long line
  private splogger(bytes: Uint8Array, at: number, end: number): void {
    const secondsEnd = digitsEnd(bytes, at, end);
    if (secondsEnd - at < 9 || secondsEnd - at > 10 || bytes[secondsEnd] !== DOT) return;
    const stampEnd = secondsEnd + 7;
    const microseconds = decimal(bytes, secondsEnd + 1, Math.min(stampEnd, end));
    if (microseconds < 0 || stampEnd > end) return;
    const continuation = stampEnd < end && bytes[stampEnd] === PLUS;
    if (stampEnd < end && !continuation && bytes[stampEnd] !== SPACE) return;
    const head = this.head;
    const seconds = decimal(bytes, at, secondsEnd);
    head.sploggerStamp = seconds + microseconds / 1e6;
    head.instant = seconds * 1000 + microseconds / 1000;
    head.continuation = continuation;
    // The rest of a cut line goes on as it is, blanks included.
    head.textStart = continuation ? stampEnd + 1 : skipBlanks(bytes, stampEnd, end);
    this.absolute = true;
  }
}

function isNil(bytes: Uint8Array, at: number, end: number): boolean {
  return at >= end || (end - at === 1 && bytes[at] === DASH);
}

/** `mail.info` (busybox, after the host) or `mail:info` (AIX). */
function isPriority(bytes: Uint8Array, at: number, end: number): boolean {
  if (end - at < 6 || end - at > 17) return false;
  const [facility, severity, more] = Buffer.from(bytes.subarray(at, end)).toString('latin1').split(/[.:]/);
  return more === undefined && severity !== undefined && FACILITIES.has(facility) && SEVERITIES.has(severity);
}

/** Behind an absolute stamp: does a line with a stamp of its own begin here? */
function looksStamped(bytes: Uint8Array, at: number, end: number): boolean {
  if (end - at < 15) return false;
  if (bytes[at] === AT || bytes[at] === BRACE_OPEN) return true;
  if (bytes[at] === LESS) return isDigit(bytes[at + 1]);
  if (monthAt(bytes, at, end) >= 0)
    return bytes[at + 3] === SPACE && bytes.subarray(at, at + 24).includes(COLON);
  return isDigit(bytes[at]) && bytes[at + 4] === DASH && bytes[at + 7] === DASH;
}

/** The byte behind RFC 5424 structured data: `-`, or elements `[id name="value \" ]"]`. */
function structuredDataEnd(bytes: Uint8Array, at: number, end: number): number {
  if (bytes[at] === DASH) return Math.min(at + 1, end);
  let next = at;
  while (next < end && bytes[next] === BRACKET_OPEN) {
    let quoted = false;
    for (next++; next < end && (quoted || bytes[next] !== BRACKET_CLOSE); next++) {
      if (bytes[next] === QUOTE) quoted = !quoted;
      else if (quoted && bytes[next] === BACKSLASH) next++;
    }
    // Cut in the middle: better all of it as text than nothing.
    if (next >= end) return at;
    next++;
  }
  return next;
}
