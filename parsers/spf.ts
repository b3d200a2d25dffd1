/**
 * SPF results (RFC 7208 section 2.6) as milters and policy daemons log them, for Postfix and sendmail.
 *
 * Shapes and sources:
 *   policyd-spf (pypolicyd-spf, spf-engine): `Softfail; identity=mailfrom; client-ip=…; helo=…; envelope-from=…; receiver=…`,
 *     since 2.9 also `prepend Received-SPF: Softfail (mailfrom) identity=mailfrom; …`
 *   postfix-policyd-spf-perl: `Policy action=PREPEND Received-SPF: softfail (…) receiver=…; identity=mailfrom;
 *     envelope-from="…"; helo=…; client-ip=…`
 *   smf-spf (smf-spf.c smf_envfrom): `SPF softfail: ip=…, fqdn=…, helo=…, from=<…>`
 *   opendmarc (opendmarc.c mlfi_eom): `QID: SPF(mailfrom): example.com softfail`
 *   rspamd (task log): `…; rspamd_task_write_log: id: <…>, qid: <QID>, ip: …, from: <…>, (… [R_SPF_SOFTFAIL(0.00){~all;}…`
 *   milters that log what they add, and sendmail for them: `QID: … Authentication-Results: …; spf=softfail …`
 *
 * A line with an id belongs to that message; one without to the next message of its client and reverse-path: policy
 * daemons are asked before Postfix gives an id. What says nothing about SPF is another program's.
 * Must not know other lines, joins or I/O.
 */
import type { LineHead } from '../src/lines/head.ts';
import { ascii, find, findByte, findLast, startsWith } from '../src/records/bytes.ts';
import type { Parser } from '../src/records/contract.ts';
import {
  FOREIGN,
  type LineClass,
  type ParsedRecord,
  RECORDED,
  SPF,
  SPF_FAIL,
  SPF_NEUTRAL,
  SPF_NONE,
  SPF_PASS,
  SPF_PERMERROR,
  SPF_SOFTFAIL,
  SPF_TEMPERROR,
} from '../src/records/record.ts';
import { setId } from '../src/records/text.ts';

const SPACE = 32;
const QUOTE = 34;
const COMMA = 44;
const COLON = 58;
const SEMICOLON = 59;
const LESS = 60;
const GREATER = 62;

/** Lower case; the results of RFC 7208, older words for them, and rspamd's symbols. */
const RESULTS: readonly (readonly [word: Uint8Array, result: number])[] = (
  [
    ['pass', SPF_PASS],
    ['allow', SPF_PASS],
    ['fail', SPF_FAIL],
    ['softfail', SPF_SOFTFAIL],
    ['neutral', SPF_NEUTRAL],
    ['none', SPF_NONE],
    ['na', SPF_NONE],
    ['temperror', SPF_TEMPERROR],
    ['tempfail', SPF_TEMPERROR],
    ['error', SPF_TEMPERROR],
    ['dnsfail', SPF_TEMPERROR],
    ['permerror', SPF_PERMERROR],
    ['permfail', SPF_PERMERROR],
    ['unknown', SPF_PERMERROR],
  ] as const
).map(([word, result]) => [ascii(word), result]);

const RECEIVED_SPF = ascii('Received-SPF: ');
const IDENTITY = ascii('; identity=');
const IDENTITY_MAILFROM = ascii('identity=mailfrom');
const CLIENT_IP = ascii('client-ip=');
const ENVELOPE_FROM = ascii('envelope-from=');
const SPF_SPACE = ascii('SPF ');
const SPF_OPEN = ascii('SPF(mailfrom): ');
const SPF_IS = ascii('spf=');
const IP_IS = ascii(': ip=');
const FROM_OPEN = ascii(', from=<');
const QID_OPEN = ascii('qid: <');
const R_SPF = ascii('R_SPF_');

const ALNUM = new Uint8Array(256);
for (const c of ascii('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz')) ALNUM[c] = 1;

function parse(head: LineHead, record: ParsedRecord): LineClass {
  const { bytes, textStart: start, textEnd: end } = head;
  const symbol = find(bytes, start, end, R_SPF);
  if (symbol >= 0) return parseTask(bytes, start, symbol, end, record);
  let at = start;
  while (at < end && ALNUM[bytes[at]] === 1) at += 1;
  if (at - start >= 5 && bytes[at] === COLON && bytes[at + 1] === SPACE) {
    const result = parseOfId(bytes, at + 2, end);
    if (result === 0) return FOREIGN;
    setId(record, bytes, start, at);
    return found(record, result);
  }
  if (startsWith(bytes, start, end, SPF_SPACE)) return parseSmf(bytes, start + SPF_SPACE.length, end, record);
  return parsePolicy(bytes, start, end, record);
}

function found(record: ParsedRecord, result: number): LineClass {
  record.kind = SPF;
  record.outcome = result;
  return RECORDED;
}

/** rspamd: the symbol may stand among dozens, the id before them. */
function parseTask(
  bytes: Uint8Array,
  start: number,
  symbol: number,
  end: number,
  record: ParsedRecord,
): LineClass {
  const result = resultAt(bytes, symbol + R_SPF.length, end);
  const qid = find(bytes, start, symbol, QID_OPEN);
  if (qid < 0 || result === 0) return FOREIGN;
  const id = qid + QID_OPEN.length;
  const close = findByte(bytes, id, symbol, GREATER);
  if (close - id < 5) return FOREIGN;
  setId(record, bytes, id, close);
  return found(record, result);
}

/** `SPF(mailfrom): example.com softfail`, or a header with `spf=softfail` or `Received-SPF: softfail`. */
function parseOfId(bytes: Uint8Array, at: number, end: number): number {
  if (startsWith(bytes, at, end, SPF_OPEN)) {
    let word = end;
    while (word > at && ALNUM[bytes[word - 1]] === 1) word -= 1;
    return resultAt(bytes, word, end);
  }
  return headerResult(bytes, at, end);
}

/** The result that a header added by a milter states, or 0. */
export function headerResult(bytes: Uint8Array, at: number, end: number): number {
  const header = find(bytes, at, end, RECEIVED_SPF);
  if (header >= 0) return resultAt(bytes, header + RECEIVED_SPF.length, end);
  const method = find(bytes, at, end, SPF_IS);
  // `dkim-spf=`, `x_spf=` are no methods.
  if (method <= at || (bytes[method - 1] !== SPACE && bytes[method - 1] !== SEMICOLON)) return 0;
  return resultAt(bytes, method + SPF_IS.length, end);
}

/** `softfail: ip=192.0.2.1, fqdn=…, helo=…, from=<a@example.com>` */
function parseSmf(bytes: Uint8Array, at: number, end: number, record: ParsedRecord): LineClass {
  const result = resultAt(bytes, at, end);
  const ip = find(bytes, at, end, IP_IS);
  const from = findLast(bytes, at, end, FROM_OPEN);
  if (result === 0 || ip < 0 || from < ip) return FOREIGN;
  setValue(bytes, ip + IP_IS.length, end, record.clientIp);
  setValue(bytes, from + FROM_OPEN.length, end, record.reversePath);
  record.hasReversePath = true;
  return found(record, result);
}

/** Policy daemons: the result is the first word, or the first of the header that they have Postfix add. */
function parsePolicy(bytes: Uint8Array, start: number, end: number, record: ParsedRecord): LineClass {
  const header = find(bytes, start, end, RECEIVED_SPF);
  if (header < 0 && find(bytes, start, end, IDENTITY) < 0) return FOREIGN;
  const word = header < 0 ? start : header + RECEIVED_SPF.length;
  const result = resultAt(bytes, word, end);
  if (result === 0 || find(bytes, word, end, IDENTITY_MAILFROM) < 0) return FOREIGN;
  const ip = findLast(bytes, word, end, CLIENT_IP);
  const from = findLast(bytes, word, end, ENVELOPE_FROM);
  if (ip < 0 || from < 0) return FOREIGN;
  setValue(bytes, ip + CLIENT_IP.length, end, record.clientIp);
  setValue(bytes, from + ENVELOPE_FROM.length, end, record.reversePath);
  record.hasReversePath = true;
  return found(record, result);
}

/** A word that is one of the results, whatever its case; 0 otherwise. */
function resultAt(bytes: Uint8Array, at: number, end: number): number {
  let stop = at;
  while (stop < end && ALNUM[bytes[stop]] === 1) stop += 1;
  for (const [word, result] of RESULTS) {
    if (stop - at !== word.length) continue;
    let i = 0;
    while (i < word.length && (bytes[at + i] | 0x20) === word[i]) i += 1;
    if (i === word.length) return result;
  }
  return 0;
}

/** A value: quoted or bracketed, or up to the next separator. */
function setValue(
  bytes: Uint8Array,
  at: number,
  end: number,
  into: { set(start: number, end: number): void },
): void {
  let from = at;
  let stop: number;
  if (bytes[from] === QUOTE || bytes[from] === LESS) {
    from += 1;
    stop = findByte(bytes, from, end, bytes[at] === QUOTE ? QUOTE : GREATER);
    if (stop < 0) stop = end;
  } else {
    stop = from;
    while (stop < end && !isSeparator(bytes[stop])) stop += 1;
  }
  into.set(from, stop);
}

function isSeparator(byte: number): boolean {
  return byte === SPACE || byte === SEMICOLON || byte === COMMA || byte === GREATER;
}

/** Its lines are known by their tags only. */
const claims = (): boolean => false;

export const spf: Parser = { mta: null, parse, claims };
