/**
 * What containers and journald put around a log line: JSON objects, `service | `, the CRI prefix.
 *
 * Owns the wrappers' own syntax. Must not know what stands inside; that is a line like any other.
 */
import {
  BRACKET_OPEN,
  COLON,
  ESCAPE,
  isBlank,
  isLetter,
  needle,
  PIPE,
  SPACE,
  skipBlanks,
  startsWith,
} from './bytes.ts';

/** One object of `journalctl -o json`. */
export interface JournalEntry {
  kind: 'journal';
  /** Milliseconds, NaN when the object has none. */
  instant: number;
  host: string;
  identifier: string;
  pid: number;
  message: Uint8Array;
  /** The message is the output of a container: a line with a head of its own. */
  fromContainer: boolean;
}

/** One object of Docker's json-file log driver. */
export interface DockerEntry {
  kind: 'docker';
  line: Uint8Array;
  /** RFC 3339 with nanoseconds, as printed; empty when missing. */
  time: Uint8Array;
  stream: string;
  /** Docker cuts at 16 KiB; only the last piece ends with a newline. */
  partial: boolean;
}

const DOCKER_PIECE = 16 * 1024;

export function readJson(bytes: Uint8Array, start: number, end: number): JournalEntry | DockerEntry | null {
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString());
  } catch {
    return null;
  }
  if (parsed === null || typeof parsed !== 'object') return null;
  const fields = parsed as Record<string, unknown>;
  if ('MESSAGE' in fields || '__REALTIME_TIMESTAMP' in fields) return journalEntry(fields);
  if (typeof fields.log === 'string' && ('time' in fields || 'stream' in fields)) return dockerEntry(fields);
  return null;
}

function journalEntry(fields: Record<string, unknown>): JournalEntry {
  const microseconds = text(fields._SOURCE_REALTIME_TIMESTAMP) || text(fields.__REALTIME_TIMESTAMP);
  return {
    kind: 'journal',
    instant: /^\d{1,17}$/.test(microseconds) ? Number(microseconds) / 1000 : Number.NaN,
    host: text(fields._HOSTNAME),
    identifier: text(fields.SYSLOG_IDENTIFIER),
    pid: number(text(fields.SYSLOG_PID)) || number(text(fields._PID)),
    message: octets(fields.MESSAGE),
    fromContainer: 'CONTAINER_ID' in fields,
  };
}

function dockerEntry(fields: Record<string, unknown>): DockerEntry {
  const line = fields.log as string;
  return {
    kind: 'docker',
    line: octets(line),
    time: octets(fields.time),
    stream: text(fields.stream),
    partial: !line.endsWith('\n') && line.length >= DOCKER_PIECE - 64,
  };
}

/** A journal field: a string, an array of byte values, or an array of such when the field was repeated. */
function octets(value: unknown): Uint8Array {
  if (typeof value === 'string') return Buffer.from(value);
  if (!Array.isArray(value) || value.length === 0) return Buffer.alloc(0);
  return typeof value[0] === 'number' ? Buffer.from(value as number[]) : octets(value[0]);
}

function text(value: unknown): string {
  if (typeof value === 'string') return value;
  return typeof value === 'number' ? String(value) : Buffer.from(octets(value)).toString();
}

function number(digits: string): number {
  return /^\d{1,10}$/.test(digits) ? Number(digits) : 0;
}

const STDOUT = needle('stdout ');
const STDERR = needle('stderr ');
const FULL = 0x46; // F
const PARTIAL = 0x50; // P

/** What the CRI prefix behind the stamp says: `stdout F text`, `stderr P text`. */
export interface CriPrefix {
  stream: string;
  partial: boolean;
  textStart: number;
}

/** The CRI prefix at `at`, null if there is none. Tags may follow the letter behind a colon. */
export function readCriPrefix(bytes: Uint8Array, at: number, end: number): CriPrefix | null {
  const isStdout = startsWith(bytes, at, end, STDOUT);
  if (!isStdout && !startsWith(bytes, at, end, STDERR)) return null;
  const letter = at + STDOUT.length;
  if (bytes[letter] !== FULL && bytes[letter] !== PARTIAL) return null;
  let next = letter + 1;
  if (bytes[next] === COLON) while (next < end && bytes[next] !== SPACE) next++;
  if (next < end && bytes[next] !== SPACE) return null;
  return {
    stream: isStdout ? 'stdout' : 'stderr',
    partial: bytes[letter] === PARTIAL,
    textStart: Math.min(next + 1, end),
  };
}

/** Longest `service  | ` that docker compose is believed to write. */
const LONGEST_SERVICE = 120;

/**
 * First byte behind the prefix of `docker compose logs` (`mail-1  | text`, the prefix possibly coloured), -1 if
 * the line has none.
 */
export function composeTextStart(bytes: Uint8Array, at: number, end: number): number {
  let next = skipColour(bytes, at, end);
  const limit = Math.min(end, next + LONGEST_SERVICE);
  const nameStart = next;
  while (next < limit && !isBlank(bytes[next]) && bytes[next] !== PIPE) next++;
  if (next === nameStart || !isBlank(bytes[next])) return -1;
  next = skipBlanks(bytes, next, limit);
  if (next >= limit || bytes[next] !== PIPE) return -1;
  next = skipColour(bytes, next + 1, end);
  return next >= end || isBlank(bytes[next]) ? Math.min(next + 1, end) : -1;
}

//  \x1b[36m
function skipColour(bytes: Uint8Array, at: number, end: number): number {
  if (bytes[at] !== ESCAPE || bytes[at + 1] !== BRACKET_OPEN) return at;
  let next = at + 2;
  while (next < end && !isLetter(bytes[next])) next++;
  return Math.min(next + 1, end);
}
