/**
 * Received fields (RFC 5321 section 4.4) and dates, as the MTAs print them: who handed the mail to whom under which id.
 *
 * Owns the wording of Postfix, sendmail, qmail and their like. What a mail says of itself can be a lie: only the hops
 * of hosts that one trusts are evidence.
 */
import { DateTime } from 'luxon';

export interface Hop {
  /** Name that the client gave, or that was found for it. */
  readonly from: string | null;
  readonly ip: string | null;
  readonly by: string | null;
  readonly queueId: string | null;
  /** qmail: number of the qmail-queue process, and who invoked it ("from network", "for bounce", "by alias"). */
  readonly qp: number | null;
  readonly invoked: string | null;
  /** Milliseconds since the epoch. */
  readonly at: number | null;
}

const LONGEST = 2000;
export const MOST_HOPS = 50;

/** Hops, the newest first, as the fields stand in the header. */
export function hopsOf(fields: readonly string[]): Hop[] {
  const hops: Hop[] = [];
  for (const field of fields.slice(0, MOST_HOPS)) {
    const hop = parseReceived(field);
    const last = hops.at(-1);
    // qmail writes two fields for a hop by SMTP: the process, and below it qmail-smtpd's with the client.
    if (
      last !== undefined &&
      last.qp !== null &&
      last.by === null &&
      hop.qp === null &&
      hop.queueId === null
    ) {
      hops[hops.length - 1] = { ...last, from: hop.from, ip: hop.ip, by: hop.by };
    } else hops.push(hop);
  }
  return hops;
}

export function parseReceived(field: string): Hop {
  const text = field.slice(0, LONGEST).replace(/\s+/g, ' ').trim();
  const semicolon = text.lastIndexOf(';');
  const at = semicolon < 0 ? null : parseDate(text.slice(semicolon + 1));
  const words = semicolon < 0 ? text : text.slice(0, semicolon);
  const qmail = /^\(qmail (\d{1,10}) invoked ([^)]{1,80})\)/.exec(words);
  if (qmail !== null) {
    return { from: null, ip: null, by: null, queueId: null, qp: Number(qmail[1]), invoked: qmail[2], at };
  }
  const bare = words.replace(/\([^()]*\)/g, ' ');
  return {
    from: /^from ([^\s()]+)/.exec(words)?.[1] ?? null,
    ip: clientIp(words),
    by: /(?:^| )by ([^\s()]+)/.exec(bare)?.[1] ?? null,
    queueId: /(?:^| )id <?([A-Za-z0-9.-]{4,64})>?(?= |$)/.exec(bare)?.[1] ?? null,
    qp: null,
    invoked: null,
    at,
  };
}

/** In brackets, or bare in parentheses (qmail: `(HELO name) (user@192.0.2.1)`); only what stands before `by`. */
function clientIp(words: string): string | null {
  const by = words.search(/(?:^|\s)by /);
  const client = by < 0 ? words : words.slice(0, by);
  for (const [, found] of client.matchAll(/[[(@](?:IPv6:)?([0-9A-Fa-f:.]{3,45})[\])]/g)) {
    if (found.includes(':') || /^\d{1,3}(?:\.\d{1,3}){3}$/.test(found)) return found;
  }
  return null;
}

/** RFC 5322 date to milliseconds since the epoch; null for what is none, or names no zone. */
export function parseDate(text: string | null): number | null {
  if (text === null) return null;
  const bare = text
    .slice(0, 200)
    .replace(/\([^()]*\)/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
  const date = DateTime.fromRFC2822(bare);
  return date.isValid ? date.toMillis() : null;
}

export function isoTime(at: number | null): string | null {
  return at === null ? null : new Date(at).toISOString();
}
