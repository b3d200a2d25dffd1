/**
 * What a mail turned out to be: the words that explain uses, and the JSON that it prints.
 * Keys are snake_case because this is the JSON; times are ISO 8601 UTC.
 */
import type { Chain } from '../chains/chain.ts';

/** How the mail says it. */
export type Shape =
  /** multipart/report with message/delivery-status. */
  | 'rfc3464'
  /** qmail-send bounce message format, https://cr.yp.to/proto/qsbmf.txt. */
  | 'qsbmf'
  /** In words, in the layout of a known MTA. */
  | 'exim'
  | 'sendmail'
  | 'postfix'
  | 'exchange'
  /** In words that bounces use. */
  | 'text'
  | 'none';

export type MailType =
  | 'failure'
  | 'delay'
  | 'success'
  /** Success as far as can be told: handed to a server without DSN, or to a list. */
  | 'relayed'
  | 'expanded'
  /** A bounce of a bounce, to the postmaster. */
  | 'double_bounce'
  /** Postfix's answer to `sendmail -bv`; no mail was sent. */
  | 'verify_report'
  /** An MTA's note about an SMTP session; about no message. */
  | 'postmaster_notice'
  // Not bounces.
  | 'auto_reply'
  | 'disposition_notification'
  | 'feedback_report'
  | 'other';

export const BOUNCE_TYPES: ReadonlySet<MailType> = new Set<MailType>([
  'failure',
  'delay',
  'success',
  'relayed',
  'expanded',
  'double_bounce',
  'verify_report',
]);

export type RecipientOutcome =
  | 'failed'
  /** Failed because retries went on for too long. */
  | 'expired'
  | 'delayed'
  | 'delivered'
  | 'relayed'
  | 'expanded'
  | 'deliverable'
  | 'undeliverable'
  | 'unknown';

export interface ExplainedRecipient {
  recipient: string | null;
  original_recipient: string | null;
  outcome: RecipientOutcome;
  status: string | null;
  /** A class of dsn/reasons.ts, of what the last attempt met; null for recipients without trouble. */
  reason: string | null;
  remote_mta: string | null;
  diagnostic: string | null;
  last_attempt: string | null;
  will_retry_until: string | null;
}

export interface ExplainedHop {
  by: string | null;
  queue_id: string | null;
  /** qmail only. */
  qp: number | null;
  from: string | null;
  ip: string | null;
  at: string | null;
}

/** The message that a bounce is about, as far as it was returned. */
export interface ExplainedOriginal {
  message_id: string | null;
  /** "" is the null reverse-path, null is unknown. */
  reverse_path: string | null;
  /** Under which id the reporting MTA had it. */
  queue_id: string | null;
  qp: number | null;
  envelope_id: string | null;
  arrived_at: string | null;
  /** Who gave it to the reporting MTA, by that MTA's own Received field. */
  client_name: string | null;
  client_ip: string | null;
  from: string | null;
  subject: string | null;
  date: string | null;
  returned: 'message' | 'headers' | 'nothing';
  /** The newest first. Only those of trusted hosts prove anything. */
  hops: ExplainedHop[];
  /** Where the original was a bounce itself: what that was about. */
  original: ExplainedOriginal | null;
}

export type MatchCertainty = 'certain' | 'likely' | 'possible';
export type MatchEvidence =
  | 'queue_id'
  | 'dsn_queue_id'
  | 'message_id'
  | 'reverse_path'
  | 'recipient'
  | 'time';

export interface ChainMatch {
  certainty: MatchCertainty;
  by: MatchEvidence[];
  /** `cause`: the message that the bounce is about. `arrival`: the bounce itself, coming in. */
  role: 'cause' | 'arrival';
  chain: Chain;
}

export type Conclusion =
  /** An MTA of these logs made the bounce. */
  | 'made_here'
  /** The original passed through here, the bounce was made elsewhere. */
  | 'passed_here'
  /** The logs cover its time and have nothing of it. */
  | 'not_here'
  /** Nothing was found, but the logs do not cover its time, or the time is unknown. */
  | 'not_covered'
  /** The mail names nothing that a log could have. */
  | 'nothing_to_look_for';

export interface LogFindings {
  /** Whose logs these are; at most MOST_HOSTS. */
  hosts: string[];
  /** Time of the first and the last line. */
  from: string | null;
  to: string | null;
  conclusion: Conclusion;
  /** The best first. */
  matches: ChainMatch[];
  matches_left_out: number;
}

export interface Explanation {
  schema_version: 1;
  kind: 'explanation';
  source: {
    path: string;
    /** Place in an mbox, from 1. */
    number: number | null;
    size: number;
    /** Less than `size` where a mail is too long to be read in full. */
    bytes_read: number;
  };
  mail: {
    message_id: string | null;
    return_path: string | null;
    from: string | null;
    to: string | null;
    subject: string | null;
    date: string | null;
  };
  type: MailType;
  shape: Shape;
  /** `likely`: by words that others may use, too. */
  certainty: 'certain' | 'likely';
  /** For the postmaster's eyes, not for the sender. */
  postmaster_copy: boolean;
  /** The bounce was found attached to this mail. */
  attached: boolean;
  /** Who made the bounce. */
  reporter: {
    mta: string | null;
    host: string | null;
    /** The bounce's own id there. */
    queue_id: string | null;
    qp: number | null;
    at: string | null;
  } | null;
  recipients: ExplainedRecipient[];
  recipients_left_out: number;
  original: ExplainedOriginal | null;
  /** null when no log was given. */
  log: LogFindings | null;
  notes: string[];
}
