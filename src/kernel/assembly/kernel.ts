/**
 * The kernel: takes the usual lines out of a block of log, in one pass, without a call or an object.
 *
 * AssemblyScript, compiled to WebAssembly. A life is a row of numbers here. What became of each recipient is one of them;
 * the words of an attempt that failed, of a DSN or a hand-over stay in their line, which is kept with the row. A chain
 * of rows whose recipients all have their mail is counted here (isPlain); any other is asked for as a whole
 * (PROMOTE_ROW) when its time is over, unless it is counted by its outline. Every line of another shape is answered as SLOW_LINE and read by the TypeScript
 * path (lines/, parsers/, chains/), which knows all the rules and reads these lines just as well: whatever is taken here
 * must lead to the same report (tested on every story and real log, with the kernel and without).
 *
 * So the rule for all that follows: what is not exactly the usual shape is slow. Named after what they shorten:
 * lines/head-parser.ts, parsers/*.ts, chains/joiner.ts.
 *
 *   this file: a block into lines, a line's head -> postfix, sendmail, qmail: its text -> joins: what it does to a row
 *   rows, names, processes: what is remembered; closing, outline, outbox: what becomes of it; layout: where it lies
 */
import { alnumEnd, byte, decimal, isDigit, lineEnd, numberEnd } from './bytes';
import {
  ALL_TAKEN,
  FAMILY_BITS,
  FAMILY_OTHER,
  FAMILY_POSTFIX,
  FAMILY_QMAIL,
  FAMILY_SENDMAIL,
  FOREIGN_LINES,
  HOSTS,
  ISO_INSTANT,
  ISO_KNOWN,
  ISO_MINUTE,
  LAST_LINE,
  LAST_SECOND,
  LIMIT,
  LINE_END,
  LINE_START,
  MINUTE,
  MINUTE_INSTANT,
  MINUTE_KNOWN,
  NEXT,
  PLACE_SHIFT,
  SLOW_LINE,
  TAGS,
  YEARLESS,
  YEARLESS_READ,
  ZONE,
  ZONE_LENGTH,
  ZONE_MS,
} from './layout';
import {
  answer,
  beyondLimit,
  count,
  host,
  instant,
  newMinute,
  pid,
  place,
  SLOW,
  second,
  TAKEN,
  tagFlags,
  textStart,
  WAIT,
} from './line';
import { findName, lastHost, lastHostLength, nameHash, sameBytes } from './names';
import { postfix } from './postfix';
import { qmail } from './qmail';
import { sendmail } from './sendmail';

export { closeDue, tellAgain } from './closing';
export { addHost, addTag } from './names';
export { receive } from './outbox';
export { outline } from './outline';
export { rowOfDelivery, rowOfProcess } from './processes';
export { rowOfBounce, rowOfForward } from './qmail';
export { nextRow, release, releaseChain, rowOf } from './rows';

/** Another program's line: no queue id at its beginning (the parsers' claims()). */
function foreign(at: i32, end: i32): i32 {
  switch (byte(at)) {
    case 0x6d: // message repeated
    case 0x6c: // last message
    case 0x5b: // [
    case 0x2d: // -
      return SLOW;
    default:
      if (isDigit(byte(at))) return SLOW;
  }
  at = alnumEnd(at, end);
  if (at < end && (byte(at) === 0x3a || byte(at) === 0x5b)) return SLOW;
  count(FOREIGN_LINES);
  store<i32>(LAST_LINE, 1);
  return TAKEN;
}

function twoDigits(at: i32): i32 {
  const tens = byte(at) - 48;
  const ones = byte(at + 1) - 48;
  return <u32>tens > 9 || <u32>ones > 9 ? -1 : tens * 10 + ones;
}

/** Reads the stamp into `instant` if it is of the known minute; the byte behind it and its blank, or -1. */
function stamp(at: i32): i32 {
  second = -1;
  const first = byte(at);
  if (first >= 65 && first <= 90) {
    // Nov 21 01:58:41 x
    if (load<i32>(MINUTE_KNOWN) === 0 || byte(at + 15) !== 32) return -1;
    if (load<u64>(at) !== load<u64>(MINUTE) || load<u64>(at + 5) !== load<u64>(MINUTE + 5)) return -1;
    // A second before the last one may be of another pass of the hour: the clock knows.
    second = twoDigits(at + 13);
    if (second < load<i32>(LAST_SECOND) || second > 59) return -1;
    instant = load<f64>(MINUTE_INSTANT) + <f64>second * 1000;
    return at + 16;
  }
  // 2026-11-21T01:51:04.366563+00:00 x
  if (load<i32>(ISO_KNOWN) === 0 || !isDigit(first)) return -1;
  if (
    load<u64>(at) !== load<u64>(ISO_MINUTE) ||
    load<u64>(at + 8) !== load<u64>(ISO_MINUTE + 8) ||
    byte(at + 16) !== byte(ISO_MINUTE + 16)
  )
    return -1;
  const seconds = twoDigits(at + 17);
  if (seconds < 0 || seconds > 59) return -1;
  at += 19;
  let fraction: f64 = 0;
  if (byte(at) === 0x2e) {
    const micro = decimal(at + 1, at + 8);
    if (numberEnd !== at + 7) return -1;
    fraction = <f64>micro / 1000;
    at = numberEnd;
  }
  const zone = load<i32>(ZONE_LENGTH);
  for (let i = 0; i < zone; i++) if (byte(at + i) !== byte(ZONE + i)) return -1;
  instant = load<f64>(ISO_INSTANT) + <f64>seconds * 1000 - load<f64>(ZONE_MS) + fraction;
  return at + zone;
}

/** The blank or control character behind a host, or the end. */
function nameEnd(at: i32, end: i32): i32 {
  for (; at < end; at += 16) {
    const mask = i8x16.bitmask(i8x16.le_u(v128.load(at), i8x16.splat(32)));
    if (mask !== 0) return min(at + ctz(mask), end);
  }
  return end;
}

/** The blank, control character, colon or bracket behind a tag, or the end. */
function tagEnd(at: i32, end: i32): i32 {
  for (; at < end; at += 16) {
    const text = v128.load(at);
    const mask = i8x16.bitmask(
      v128.or(
        v128.or(i8x16.le_u(text, i8x16.splat(32)), i8x16.eq(text, i8x16.splat(0x3a))),
        v128.or(i8x16.eq(text, i8x16.splat(0x5b)), i8x16.eq(text, i8x16.splat(0x5d))),
      ),
    );
    if (mask !== 0) return min(at + ctz(mask), end);
  }
  return end;
}

/** One line; TAKEN, SLOW or WAIT. */
function line(start: i32, end: i32): i32 {
  // Room for the longest stamp, and nothing to be trimmed at the end.
  if (end - start < 40 || byte(end - 1) <= 32 || byte(end - 1) === 0x2c) return SLOW;
  let at = stamp(start);
  // Only a capital or a digit begins a stamp of which more can be known.
  if (at < 0) return byte(start) <= 90 && byte(start) >= 48 ? newMinute() : SLOW;
  // Most logs are of one host, and its name is compared in a third of the time that it takes to find it.
  let i = at + lastHostLength;
  if (lastHostLength === 0 || byte(i) !== 32 || !sameBytes(at, lastHost, lastHostLength)) {
    i = nameEnd(at, end);
    if (i >= end || byte(i) !== 32) return SLOW;
    const known = findName(HOSTS, at, i, nameHash(at, i));
    if (known === 0) return SLOW;
    lastHost = known + 16;
    lastHostLength = i - at;
    host = load<i32>(known, 8);
  }
  at = i + 1;
  i = tagEnd(at, end);
  const entry = findName(TAGS, at, i, nameHash(at, i));
  if (entry === 0) return SLOW;
  place = (load<i32>(entry, 8) << PLACE_SHIFT) | host;
  tagFlags = load<i32>(entry, 12);
  pid = 0;
  if (byte(i) === 0x5b) {
    pid = decimal(i + 1, end);
    i = numberEnd;
    if (pid < 0 || byte(i) !== 0x5d || byte(i + 1) !== 0x3a) return SLOW;
    i += 2;
  } else {
    if (byte(i) !== 0x3a || byte(i + 1) !== 32) return SLOW;
    i++;
  }
  while (i < end && byte(i) === 32) i++;
  if (i >= end || byte(i) === 9) return SLOW;
  textStart = i;
  const family = tagFlags & FAMILY_BITS;
  // The time of a line of qmail's may stand in its text.
  if (family !== FAMILY_QMAIL && instant > load<f64>(LIMIT)) return beyondLimit();
  switch (family) {
    case FAMILY_POSTFIX:
      return postfix(i, end);
    case FAMILY_SENDMAIL:
      return sendmail(i, end);
    case FAMILY_QMAIL:
      return qmail(i, end);
    case FAMILY_OTHER:
      return foreign(i, end);
    default:
      return SLOW;
  }
}

/** Takes the lines of [NEXT, end), which ends with a newline; says why it stopped (layout.ts). */
export function run(end: i32): i32 {
  let start = load<i32>(NEXT);
  while (start < end) {
    const stop = lineEnd(start);
    const result = line(start, stop);
    if (result === TAKEN) {
      if (second >= 0) {
        store<i32>(LAST_SECOND, second);
        store<f64>(YEARLESS, load<f64>(MINUTE_INSTANT) + <f64>second * 1000);
        store<i32>(YEARLESS_READ, 1);
      }
      start = stop + 1;
      continue;
    }
    store<i32>(LINE_START, start);
    store<i32>(LINE_END, stop);
    if (result === WAIT) {
      store<i32>(NEXT, start);
      return answer;
    }
    store<i32>(NEXT, stop + 1);
    return SLOW_LINE;
  }
  store<i32>(NEXT, start);
  return ALL_TAKEN;
}
