/**
 * The year of a log whose stamps have none, from what the MTAs wrote into it (log-formats.md 1.3).
 *
 * Owns the decoding of times inside ids. Runs once per file on a sample, so it may use strings and expressions.
 * Only evidence that agrees with the day of its own stamp counts: ids may be older than their line, and a
 * message-id may come from another host.
 */

const SAMPLE = 256 * 1024;
const DAY = 86_400_000;
/** Stamps are local time and ids UTC, and an id may have waited a while: this far apart still agrees. */
const AGREES = 2 * DAY;
const HALF_YEAR = 180 * DAY;

const MONTHS = 'JanFebMarAprMayJunJulAugSepOctNovDec';
// A container's service name or a priority may stand before the stamp.
//                    mail-1  | or <22>              Nov  1 04:05:06
const STAMP = /^(?:[\w.-]{1,64} *\| )?(?:<\d{1,3}>)?([A-Z][a-z]{2}) {1,2}(\d{1,2}) (\d\d):(\d\d):(\d\d)[ .]/;

const BASE60 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const BASE52 = '0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz';

//  qmail: 1795226267.923730 new msg 2253869
const SPLOGGER = /: (\d{9,10})\.\d{6}[ +]/;
//  sm-mta[204]: 6AL1rels000204: from=      (YMDhmsNNpppppp, sendmail queue.c assign_queueid)
const SENDMAIL_ID =
  /[ :] ?([0-9A-Za-x])([0-9AB])([1-9A-V])([0-9A-N])([0-9A-Za-x])([0-9A-Za-z])[0-9A-Za-x]{2}\d{6,7}: /;
//  postfix/qmgr[357]: 4jWZfY5sp7zJc45: removed      (seconds base 52, 4 digits of us, z, inode; mail_queue.h)
const POSTFIX_ID =
  /: ([0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-z]{6})[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-z]{4}z[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-y]+: /;
//  message-id=<20261121014614.E42DA21A56E@mx1.example.com>      (Postfix cleanup_message.c)
//  msgid=<202611210157.6AL1rels000204@mx.example.com>           (sendmail envelope.c settime, $t)
const MESSAGE_ID = /\b(?:message-id|msgid)=<(\d{12})(?:\d\d)?\.(?:[0-9A-F]{6,}|[0-9A-Za-x]{12,18})@/;

/**
 * The year of the first stamp without a year in `bytes` (the first part of a file, 256 KiB are looked at), or
 * null without evidence. With `reference` (the newest the log can be, ms), a leap day is evidence as well.
 */
export function yearEvidence(bytes: Uint8Array, reference = Number.NaN): number | null {
  const votes = new Map<number, number>();
  let leapShift: number | null = null;
  let previous = Number.NaN;
  let shift = 0; // years since the first stamp
  for (const line of Buffer.from(bytes.subarray(0, SAMPLE)).toString('latin1').split('\n')) {
    const stamp = STAMP.exec(line.replace(/^\0+/, ''));
    if (stamp === null) continue;
    const month = MONTHS.indexOf(stamp[1]);
    if (month < 0 || month % 3 !== 0) continue;
    const inYear = (year: number) =>
      Date.UTC(year, month / 3, Number(stamp[2]), Number(stamp[3]), Number(stamp[4]), Number(stamp[5]));
    const step = inYear(2000) - previous;
    if (step < -HALF_YEAR) shift++;
    const late = step > HALF_YEAR ? 1 : 0;
    if (late === 0) previous = inYear(2000);
    if (stamp[1] === 'Feb' && Number(stamp[2]) === 29) leapShift ??= shift - late;
    for (const time of timesIn(line)) {
      const year = agreeingYear(time, inYear);
      if (year !== null) votes.set(year - shift + late, (votes.get(year - shift + late) ?? 0) + 1);
    }
  }
  return mostVoted(votes) ?? leapYear(leapShift, reference);
}

/** Times (ms, UTC) that the text of a line gives away. */
function timesIn(line: string): number[] {
  const times: number[] = [];
  const splogger = SPLOGGER.exec(line);
  if (splogger !== null) times.push(Number(splogger[1]) * 1000);
  const sendmail = SENDMAIL_ID.exec(line);
  if (sendmail !== null) {
    const [year, month, day, hour, minute, second] = sendmail
      .slice(1, 7)
      .map((digit) => BASE60.indexOf(digit));
    // (year - 1900) mod 60: of 1900+n, 1960+n and 2020+n the one in living memory.
    times.push(Date.UTC(year >= 30 ? 1960 + year : 2020 + year, month, day, hour, minute, second));
  }
  const postfix = POSTFIX_ID.exec(line);
  if (postfix !== null) {
    let seconds = 0;
    for (const digit of postfix[1]) seconds = seconds * 52 + BASE52.indexOf(digit);
    times.push(seconds * 1000);
  }
  const id = MESSAGE_ID.exec(line)?.[1];
  if (id !== undefined) {
    const part = (from: number, to: number) => Number(id.slice(from, to));
    times.push(Date.UTC(part(0, 4), part(4, 6) - 1, part(6, 8), part(8, 10), part(10, 12)));
  }
  return times;
}

/** The year that brings the stamp next to `time`, null when its day does not fit. */
function agreeingYear(time: number, inYear: (year: number) => number): number | null {
  const around = new Date(time).getUTCFullYear();
  if (!(around >= 1990 && around <= 2079)) return null;
  for (const year of [around, around - 1, around + 1]) {
    if (Math.abs(inYear(year) - time) <= AGREES) return year;
  }
  return null;
}

function mostVoted(votes: Map<number, number>): number | null {
  let best: number | null = null;
  for (const [year, count] of votes) if (best === null || count > votes.get(best)!) best = year;
  return best;
}

function leapYear(shift: number | null, reference: number): number | null {
  if (shift === null || Number.isNaN(reference)) return null;
  let year = new Date(reference + DAY).getUTCFullYear();
  const isLeapDay = () => new Date(Date.UTC(year, 1, 29)).getUTCMonth() === 1;
  while (!isLeapDay() || Date.UTC(year, 1, 29) > reference + DAY) year--;
  return year - shift;
}
