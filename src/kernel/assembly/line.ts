/**
 * The line at hand: what run() found at its head, what it is to answer, and the accounting of lines. Constants that the
 * kernel shares with the TypeScript way, each with the file that it comes from.
 */
import {
  BEYOND_LIMIT,
  FROM,
  IGNORED_LINES,
  LAST_LINE,
  NEW_MINUTE,
  REACHED,
  RECORDED_LINES,
  SEEN,
  TO,
} from './layout';

// record.ts
export const SENDMAIL: i32 = 0;
export const POSTFIX: i32 = 1;
export const QMAIL: i32 = 2;

// life.ts
export const ENDED_GRACE: f64 = 120_000;
export const LINK_ONLY_GRACE: f64 = 120_000;
export const IMPLIED_END_GRACE: f64 = 300_000;
export const NEVER_QUEUED_GRACE: f64 = 3_600_000;
export const OPEN_HORIZON: f64 = 691_200_000;

/** Of the graces above. */
export const LEAST_GRACE: f64 = 120_000;
export const HOUR: f64 = 3_600_000;

/** Generations of a chain, and children of one row. */
export const MOST_RELATED: i32 = 32;

// joiner.ts
export const OUT_OF_ORDER: f64 = 10_000;
export const COMES_BACK_WITHIN: f64 = 600_000;

// What became of a line.
export const TAKEN: i32 = 0;
export const SLOW: i32 = 1;
export const WAIT: i32 = 2;

/** As run() found it at the head of the line, or in its text. */
export let host: i32 = 0;
export let place: i32 = 0;
export let pid: i32 = 0;
export let tagFlags: i32 = 0;
export let instant: f64 = 0;
export let second: i32 = -1;
export let idHash: i32 = 0;
export let idCheck: i32 = 0;
export let idStart: i32 = 0;
export let idEnd: i32 = 0;

/** What to answer when a line has to wait. */
export let answer: i32 = 0;

/** splogger's own stamp (lines/head.ts), 0 without one. */
export let sploggerStamp: f64 = 0;

/** First byte of the MTA's own text. */
export let textStart: i32 = 0;

export function count(at: i32): void {
  store<i32>(at, load<i32>(at) + 1);
}

function seen(mta: i32): void {
  store<i32>(SEEN, load<i32>(SEEN) | (1 << mta));
  if (instant < load<f64>(FROM)) store<f64>(FROM, instant);
  if (instant > load<f64>(TO)) store<f64>(TO, instant);
}

export function recorded(mta: i32): void {
  count(RECORDED_LINES);
  store<i32>(LAST_LINE, 1);
  seen(mta);
}

export function ignored(mta: i32): i32 {
  count(IGNORED_LINES);
  store<i32>(LAST_LINE, 1);
  seen(mta);
  return TAKEN;
}

/** What the stamp of the line at hand says is for the clock to tell. */
export function newMinute(): i32 {
  answer = NEW_MINUTE;
  return WAIT;
}

/** Others have lines to be read before this one. */
export function beyondLimit(): i32 {
  store<f64>(REACHED, instant);
  answer = BEYOND_LIMIT;
  return WAIT;
}
