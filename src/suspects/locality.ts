/**
 * Where an attempt went: to a mailbox or program of this host, to a next hop, or nowhere.
 *
 * Owns how each MTA's log tells them apart. Must not judge.
 */
import type { Life, Recipient } from '../chains/life.ts';
import { DEFERRED, GIVEN_UP, POSTFIX, QMAIL, SENDMAIL } from '../records/record.ts';

/** sendmail's `mailer=local, relay=local`, and a Cyrus or LMTP socket; Postfix prints the service's name. */
const LOCAL_SOCKET = /^\[?(?:private)?\/|\[(?:private)?\//;
/** LMTP over TCP (RFC 2033): port 24 by usage. */
const LMTP_PORT = ']:24';
/** Postfix's error(8) and its own checks answer for addresses that this host itself should know. */
const UNKNOWN_HERE = /user unknown|unknown user|unknown in (?:virtual|local|relay)/i;

/** Handed to a mailbox or a program of this host, or refused by it. */
export function wasLocal(life: Life, r: Recipient): boolean {
  const { relay } = r;
  switch (life.mta) {
    case QMAIL:
      return r.local;
    case SENDMAIL:
      // `mailer=local` without `relay=` before 8.14 and when the mailer did not start; a queued one has none either.
      if (relay === null) return r.attempts > 0 && r.outcome !== DEFERRED && r.outcome !== GIVEN_UP;
      return relay === 'local' || isLocalSocket(relay);
    case POSTFIX:
      if (relay === null) return false;
      if (relay === 'none') return r.status === '5.1.1' || (r.reply !== null && UNKNOWN_HERE.test(r.reply));
      return !relay.includes('[') || isLocalSocket(relay) || relay.endsWith(LMTP_PORT);
    default:
      return false;
  }
}

function isLocalSocket(relay: string): boolean {
  return relay === 'localhost' || (relay.includes('/') && LOCAL_SOCKET.test(relay));
}

/** Some recipient of a message belongs to this host: its domain is delivered here. */
export function staysHere(root: Life): boolean {
  for (const r of root.recipients) if (wasLocal(root, r)) return true;
  for (const next of root.next) if (staysHere(next)) return true;
  return false;
}

/** `203.0.113.20_does_not_like_recipient.`, `Connected_to_203.0.113.20_but_...` [qmail-remote.c quit, outhost]. */
const QMAIL_HOP = /^(?:Connected_to_)?([0-9a-fA-F.:]{3,45})_(?:does|failed|but|said)/;

/** The next hop that an attempt spoke to which was not local, as the log names it; null when it spoke to none. */
export function hopOf(life: Life, r: Recipient): string | null {
  if (life.mta === QMAIL) return r.reply === null ? null : (QMAIL_HOP.exec(r.reply)?.[1] ?? null);
  return r.relay !== null && r.relay.includes('[') ? r.relay : null;
}
