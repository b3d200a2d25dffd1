/**
 * What the readers of bounce shapes (rfc3464.ts, qsbmf.ts, wording.ts) find in a mail, and what they share.
 *
 * Owns the judgement on one recipient. Must not know logs.
 */
import { reasonClass } from '../dsn/reasons.ts';
import { replyStatus } from '../dsn/status.ts';
import type { ExplainedRecipient, MailType, RecipientOutcome, Shape } from './explanation.ts';
import { isoTime, parseDate } from './received.ts';

export interface Reading {
  readonly type: MailType;
  readonly shape: Shape;
  readonly certainty: 'certain' | 'likely';
  /** By the bounce's own words. */
  readonly host: string | null;
  readonly recipients: readonly ExplainedRecipient[];
  readonly leftOut: number;
  /** What a mail without parts returned: text from the original's header on. */
  readonly returned: string | null;
  readonly original: {
    readonly queueId: string | null;
    readonly reversePath: string | null;
    readonly envelopeId: string | null;
    readonly arrivalDate: string | null;
  };
}

export const NOTHING_SAID: Reading['original'] = {
  queueId: null,
  reversePath: null,
  envelopeId: null,
  arrivalDate: null,
};

/** Longer texts are cut: they are for reading. */
const LONGEST_TEXT = 2000;

/** As many as a delivery report may have. */
export { MOST_RECIPIENTS } from '../dsn/delivery-report.ts';

export interface Facts {
  readonly recipient: string | null;
  readonly originalRecipient?: string | null;
  readonly outcome: RecipientOutcome;
  readonly status?: string | null;
  readonly diagnostic?: string | null;
  readonly remoteMta?: string | null;
  readonly lastAttempt?: string | null;
  readonly willRetryUntil?: string | null;
}

export function recipientOf(facts: Facts): ExplainedRecipient {
  const text = facts.diagnostic?.replace(/\s+/g, ' ').trim().slice(0, LONGEST_TEXT);
  const diagnostic = text === undefined || text === '' ? null : text;
  const status = facts.status ?? (diagnostic === null ? null : replyStatus(diagnostic));
  return {
    recipient: facts.recipient,
    original_recipient: facts.originalRecipient ?? null,
    outcome: facts.outcome,
    status,
    reason: TROUBLE.has(facts.outcome) ? reasonOf(diagnostic, status, facts.outcome) : null,
    remote_mta: facts.remoteMta ?? null,
    diagnostic,
    last_attempt: isoTime(parseDate(facts.lastAttempt ?? null)),
    will_retry_until: isoTime(parseDate(facts.willRetryUntil ?? null)),
  };
}

const TROUBLE = new Set<RecipientOutcome>(['failed', 'expired', 'delayed', 'undeliverable']);

/** What the last attempt met says more than that there were many. */
function reasonOf(diagnostic: string | null, status: string | null, outcome: RecipientOutcome): string {
  const met = reasonClass(diagnostic, status, false);
  return met === 'other' ? reasonClass(diagnostic, status, outcome === 'expired') : met;
}

/** A failure for a temporary reason is one that was tried for too long (RFC 3463 section 3.5, X.4.7). */
export function failedOrExpired(status: string | null): RecipientOutcome {
  return status !== null && (status.startsWith('4.') || status.endsWith('.4.7')) ? 'expired' : 'failed';
}

/** The kind of a bounce by its recipients; the worst counts. null when they do not tell. */
export function typeOf(recipients: readonly ExplainedRecipient[]): MailType | null {
  const has = (...outcomes: RecipientOutcome[]): boolean =>
    recipients.some((recipient) => outcomes.includes(recipient.outcome));
  if (has('deliverable', 'undeliverable')) return 'verify_report';
  if (has('failed', 'expired')) return 'failure';
  if (has('delayed')) return 'delay';
  if (has('delivered')) return 'success';
  if (has('relayed')) return 'relayed';
  if (has('expanded')) return 'expanded';
  return null;
}
