/**
 * Is this chain backscatter? A chain is a suspect when a DSN of it (failure, delay, success) goes to an outside address
 * for a message that an outside, unauthenticated client handed in.
 *
 * Owns the judgement of one chain: verdict, score, reasons, and whom they concern. Pure: it knows this chain and what
 * is inside, nothing of other chains (repeats.ts) and no figures. docs/backscatter.md has the rules in words.
 */
import type { Suspect } from '../chains/chain.ts';
import { CONTINUES, type Life } from '../chains/life.ts';
import {
  type SeenDsn,
  type SeenRecipient,
  senderChecked,
  statusOf,
  suppressionCause,
} from '../chains/view.ts';
import { reasonClass, withoutHost } from '../dsn/reasons.ts';
import { ORIGIN_LOCAL, ORIGIN_SMTP, QMAIL, SENDMAIL } from '../records/record.ts';
import type { Inside } from './inside.ts';
import { hopOf, staysHere, wasLocal } from './locality.ts';
import { bitOf, REASONS, type Reason } from './reasons.ts';

/** A recipient that failed after acceptance. */
export interface FailedRecipient {
  /** As the client gave it, where the log knows; null where it names nobody. */
  readonly address: string | null;
  readonly reason: Reason;
  /** Class of the failure (dsn/reasons.ts): "user unknown". */
  readonly failure: string;
  /** The next hop that refused, or null. */
  readonly hop: string | null;
  /** What delivered on this host ("local", "dovecot"), or null. */
  readonly agent: string | null;
}

export interface Judged {
  readonly suspect: Suspect;
  readonly reasons: readonly Reason[];
  /** Of the client that handed the message in; null where the log does not say. */
  readonly clientIp: string | null;
  /** Outside DSNs, by whom they went to. */
  readonly victims: readonly string[];
  /** Domain of the first of them. */
  readonly domain: string;
  readonly failed: readonly FailedRecipient[];
}

/** null: not a suspect. `dsns` and `recipients` are those of the whole chain. */
export function judge(
  root: Life,
  dsns: readonly SeenDsn[],
  recipients: readonly SeenRecipient[],
  inside: Inside,
): Judged | null {
  if (dsns.length === 0 || !isFromOutside(root, inside)) return null;
  let outside: SeenDsn[] | null = null;
  let found = 0;
  let failure = false;
  for (const dsn of dsns) {
    if (isForOwner(dsn, root) || !goesOutside(dsn, inside)) continue;
    if (outside === null) outside = [dsn];
    else outside.push(dsn);
    if (dsn.kind === 'delay') found |= DELAY_WARNING;
    else if (dsn.kind === 'success') found |= RETURN_RECEIPT;
    else failure = true;
    found |= reasonOfFate(dsn, dsns);
  }
  if (outside === null) return null;
  const failed = failure ? failuresOf(recipients, outside) : NONE_FAILED;
  for (const { reason } of failed) found |= bitOf(reason);
  found |= senderReason(root);
  // qmail-send names no client, so nothing proves that it was an outside one.
  if (root.origin !== ORIGIN_SMTP) found |= CLIENT_UNKNOWN;
  const suspect = verdictOf(found);
  return {
    suspect,
    reasons: suspect.reasons as Reason[],
    clientIp: root.clientIp,
    victims: outside.map(victimOf),
    domain: outside[0].domain,
    failed,
  };
}

const NONE_FAILED: readonly FailedRecipient[] = [];

const DELAY_WARNING = bitOf('delay_warning');
const RETURN_RECEIPT = bitOf('return_receipt');
const CLIENT_UNKNOWN = bitOf('client_unknown');
const DSN_UNDELIVERABLE = bitOf('dsn_undeliverable');
const DSN_STUCK = bitOf('dsn_stuck');
const SPF_FAIL = bitOf('spf_fail');
const SPF_SOFTFAIL = bitOf('spf_softfail');
const SPF_PASS = bitOf('spf_pass');

/** One address, one key: domains do not tell cases apart, local parts may (RFC 5321 section 2.4). */
function victimOf(dsn: SeenDsn): string {
  const address = dsn.to as string;
  return address.endsWith(dsn.domain) ? address : address.slice(0, address.lastIndexOf('@') + 1) + dsn.domain;
}

/** Handed in by SMTP, without authentication, from none of our networks. */
export function isFromOutside(root: Life, inside: Inside): boolean {
  if (root.authUser !== null || root.origin === ORIGIN_LOCAL) return false;
  if (root.origin !== ORIGIN_SMTP) return root.mta === QMAIL;
  return root.clientIp === null || !inside.hasNetwork(root.clientIp);
}

/** List owners and VERP senders want their bounces; they are made for them. */
const WANTS_BOUNCES =
  /^owner-|-(?:owner|request|bounces?)(?:[+-][^@]*)?@|-@\[\]$|[+-][^@]*=[^@=]+\.[a-z][a-z-]+@/i;

/** Told by a byte or two, which hardly any other address has. */
function wantsBounces(reversePath: string | null): boolean {
  if (reversePath === null || !(reversePath.includes('-') || reversePath.includes('='))) return false;
  return WANTS_BOUNCES.test(reversePath);
}

function goesOutside(dsn: SeenDsn, inside: Inside): boolean {
  if (dsn.kind !== 'failure' && dsn.kind !== 'delay' && dsn.kind !== 'success') return false;
  if (dsn.to === null || dsn.domain === '' || inside.hasDomain(dsn.domain)) return false;
  // A list on this host has its owner as reverse-path behind the expansion.
  if (wantsBounces(dsn.answered)) return false;
  if (dsn.link.child === null) return true;
  return dsn.addressees.length < dsn.recipients.length
    ? !dsn.addressees.some(({ life, recipient: r }) => r !== null && wasLocal(life, r))
    : !staysHere(dsn.link.child);
}

/** The owner of a list here, whose mail goes on under his name: sendmail takes whom `owner-list` stands for. */
function isForOwner({ about }: SeenDsn, root: Life): boolean {
  if (about === root || about.mta !== SENDMAIL || about.relation !== CONTINUES) return false;
  const own = about.reversePath;
  const path = root.reversePath;
  // A user of this host is named with and without its domain.
  if (own === null || path === null || !own.includes('@') || !path.includes('@')) return false;
  return own.toLowerCase() !== path.toLowerCase();
}

/** Whether a DSN to this reverse-path is judged as one to any other. */
export function isAnybodys(reversePath: string, domain: string, inside: Inside): boolean {
  return !inside.hasDomain(domain) && !wantsBounces(reversePath);
}

/** What became of the DSN: the best evidence that its addressee never wrote to us. A bit, or 0. */
function reasonOfFate(dsn: SeenDsn, all: readonly SeenDsn[]): number {
  const { child } = dsn.link;
  const { outcome } = dsn;
  if (outcome === 'failed' || outcome === 'expired' || child?.dsnLost === true) return DSN_UNDELIVERABLE;
  // The report about the report is seen even where the line about its failure is missing.
  if (child !== null)
    for (const other of all)
      if (other.kind === 'double_bounce' && other.about === child) return DSN_UNDELIVERABLE;
  return outcome === 'deferred' ? DSN_STUCK : 0;
}

function failuresOf(recipients: readonly SeenRecipient[], outside: readonly SeenDsn[]): FailedRecipient[] {
  const failed: FailedRecipient[] = [];
  for (const seen of recipients) {
    if (seen.outcome !== 'failed' && seen.outcome !== 'expired') continue;
    const { life, recipient: r, original } = seen;
    const said = r?.reply ?? reasonGiven(life, outside);
    const status = r === null ? null : statusOf(life, r);
    const failure = reasonClass(said, status, seen.outcome === 'expired');
    const local = r !== null && wasLocal(life, r);
    const hop = r === null || local || seen.outcome === 'expired' ? null : hopOf(life, r);
    failed.push({
      address: original ?? r?.address ?? null,
      reason: reasonOfFailure(failure, status, said, hop, local),
      failure,
      hop,
      agent: local ? (r.relay ?? 'local') : null,
    });
  }
  return failed;
}

/** What sendmail wrote with the DSN. */
function reasonGiven(life: Life, outside: readonly SeenDsn[]): string | null {
  for (const dsn of outside) if (dsn.about === life) return dsn.link.reason;
  return null;
}

/** Postfix and qmail say at which command it happened; of sendmail's texts only the status tells. */
const AFTER_DATA = /in reply to end of DATA|_failed_after_I_sent_the_message/;

function reasonOfFailure(
  failure: string,
  status: string | null,
  said: string | null,
  hop: string | null,
  local: boolean,
): Reason {
  if (failure === 'mail loop') return 'loop';
  if (failure === 'gave up after retries') return 'accepted_then_expired';
  if (hop !== null) {
    const content = failure === 'content refused' || status?.startsWith('5.6.') === true;
    return content || (said !== null && AFTER_DATA.test(withoutHost(said)))
      ? 'content_refused_after_accept'
      : 'accepted_then_refused_by_next_hop';
  }
  return local ? 'accepted_then_failed_locally' : 'accepted_then_failed';
}

/** A bit, or 0. */
function senderReason(root: Life): number {
  switch (senderChecked(root) ?? suppressionCause(root)?.replace('spf=', '')) {
    case 'fail':
      return SPF_FAIL;
    case 'softfail':
      return SPF_SOFTFAIL;
    case 'pass':
      return SPF_PASS;
    default:
      return 0;
  }
}

/** What each further sign adds to the strongest one. */
const FURTHER = 5;

/** By the bits of the reasons found: some dozens of sets are ever seen. */
const VERDICTS = new Map<number, Suspect>();

function verdictOf(found: number): Suspect {
  let suspect = VERDICTS.get(found);
  if (suspect === undefined) {
    suspect = weigh(found);
    VERDICTS.set(found, suspect);
  }
  return suspect;
}

function weigh(found: number): Suspect {
  let strongest = 0;
  let signs = 0;
  let lowering = 0;
  let confirmed = false;
  let likely = false;
  const reasons: Reason[] = [];
  for (const { name, strength, points } of REASONS) {
    if ((found & bitOf(name)) === 0) continue;
    reasons.push(name);
    if (strength === 'lowers') {
      lowering += points;
      continue;
    }
    signs += 1;
    if (points > strongest) strongest = points;
    if (strength === 'confirms') confirmed = true;
    if (strength === 'likely') likely = true;
  }
  let verdict: Suspect['verdict'] = 'possible';
  // A DSN that fails proves a wrong sender, but not that a stranger handed the message in.
  if (confirmed) verdict = reasons.includes('client_unknown') ? 'likely' : 'confirmed';
  else if (likely && !reasons.includes('spf_pass')) verdict = 'likely';
  return { verdict, score: clamp(strongest + FURTHER * Math.max(0, signs - 1) + lowering), reasons };
}

export function clamp(score: number): number {
  return Math.max(1, Math.min(100, score));
}
