/**
 * What is traced: a queue id, a qmail message number or qp, a Message-ID, an address; and whether a chain is it.
 *
 * Owns the reading of WHAT and its comparison with the facts of lives. Must not know lines or formats.
 */

import type { Life } from '../chains/life.ts';
import { dsnsOf, livesOf, reversePathOf } from '../chains/view.ts';
import { domainOf } from '../dsn/address.ts';
import { QMAIL } from '../records/record.ts';

/** By what a chain was found. */
export type MatchedBy =
  | 'queue_id'
  | 'qp'
  | 'message_id'
  | 'reverse_path'
  | 'recipient'
  | 'original_recipient';

export interface What {
  /** As it was given. */
  readonly text: string;
  /** Queue id or message number; null where it cannot be one. */
  readonly id: string | null;
  /** qmail's process number, -1 where it cannot be one. */
  readonly qp: number;
  /** Without angle brackets; null where it cannot be one. */
  readonly messageId: string | null;
  /** In lower case, without angle brackets; `@domain` stands for all its addresses. */
  readonly address: string | null;
  /** The address as qmail prints it: whatever is not visible ASCII is `_` [qmail qsutil.c logsafe]. */
  readonly safeAddress: string | null;
}

/** Reads WHAT; null where it can be nothing of all this ("", "<>", blanks only). */
export function whatOf(text: string): What | null {
  const trimmed = text.trim();
  const inner = /^<(.*)>$/s.exec(trimmed)?.[1] ?? trimmed;
  if (inner === '') return null;
  const at = inner.includes('@');
  // Copied from a log, an id brings its colon or comma along.
  const id = /^[0-9A-Za-z]{1,64}(?=[:,]?$)/.exec(trimmed)?.[0] ?? null;
  const address = at ? inner.toLowerCase() : null;
  return {
    text: trimmed,
    id,
    qp: id !== null && /^\d{1,9}$/.test(id) ? Number(id) : -1,
    // A Message-ID without @ is no valid one, yet scripts make such.
    messageId: inner,
    address,
    safeAddress: address === null ? null : logsafe(address),
  };
}

function logsafe(text: string): string {
  return Buffer.from(text, 'utf8')
    .toString('latin1')
    .replace(/[^\x21-\x7e]/g, '_');
}

/** By what WHAT is this chain; empty where it is not. */
export function matchesOf(root: Life, what: What): MatchedBy[] {
  const found = new Set<MatchedBy>();
  for (const life of livesOf(root)) {
    if (what.id !== null && life.id === what.id) found.add('queue_id');
    if (what.qp >= 0 && (life.qp === what.qp || life.dsns.some((link) => link.qp === what.qp)))
      found.add('qp');
    if (what.messageId !== null && life.messageId !== null && isMessageId(life.messageId, what.messageId))
      found.add('message_id');
    if (what.address === null) continue;
    const wanted = life.mta === QMAIL ? (what.safeAddress as string) : what.address;
    if (isAddress(life.reversePath, wanted)) found.add('reverse_path');
    for (const r of life.recipients) {
      if (isAddress(r.address, wanted)) found.add('recipient');
      if (r.original !== null && isAddress(r.original, wanted)) found.add('original_recipient');
    }
  }
  if (
    what.address !== null &&
    found.size === 0 &&
    root.reversePath !== null &&
    !root.reversePath.includes('@')
  )
    if (isAddress(reversePathOf(root), what.address)) found.add('reverse_path');
  return [...found];
}

function isMessageId(logged: string, wanted: string): boolean {
  return (
    logged === wanted ||
    (logged.length === wanted.length + 2 && logged.startsWith('<') && logged.slice(1, -1) === wanted)
  );
}

/** Case is ignored in both parts: whoever looks for an address wants to see it however it was typed. */
function isAddress(logged: string | null, wanted: string): boolean {
  if (logged === null || logged === '') return false;
  if (wanted.startsWith('@')) return domainOf(logged) === wanted.slice(1);
  return logged === wanted || logged.toLowerCase() === wanted;
}

/** Whether a line's text names the address: for refusals, which belong to no message. `line` in lower case. */
export function namesAddress(line: string, what: What): boolean {
  const { address } = what;
  if (address === null) return false;
  for (let at = line.indexOf(address); at >= 0; at = line.indexOf(address, at + 1)) {
    const before = address.startsWith('@') || at === 0 || !/[\w.+=-]/.test(line[at - 1]);
    const after = line[at + address.length];
    if (
      before &&
      (after === undefined || !/[\w-]/.test(after)) &&
      !/^\.\w/.test(line.slice(at + address.length))
    )
      return true;
  }
  return false;
}

/** All DSNs of a chain by their links, for whoever asks what a link is. */
export function dsnKinds(root: Life): ReadonlyMap<unknown, string> {
  const kinds = new Map<unknown, string>();
  for (const { link, kind } of dsnsOf(root)) kinds.set(link, kind);
  return kinds;
}
