/**
 * A message chain as the contract prints it: message -> attempts -> DSN -> the DSN's own fate.
 * Contract section 4; what a chain is, section 2. Keys are snake_case because this is the JSON.
 */
import type { MtaName } from '../records/record.ts';

export type Outcome =
  | 'delivered'
  | 'failed'
  | 'expired'
  | 'deferred'
  | 'discarded'
  | 'held'
  | 'deleted'
  | 'expanded'
  | 'probe';

export type DsnKind = 'failure' | 'delay' | 'success' | 'postmaster' | 'double_bounce';

export interface ChainRecipient {
  /** null where the log does not name it (a message dropped or held by sendmail). */
  recipient: string | null;
  original_recipient: string | null;
  outcome: Outcome;
  status: string | null;
  relay: string | null;
  attempts: number;
  reply: string | null;
  at: string | null;
}

export interface ChainDsn {
  kind: DsnKind;
  queue_id: string | null;
  parent_queue_id: string;
  recipient: string | null;
  reason: string | null;
  outcome: Outcome | 'unknown';
  status: string | null;
  at: string | null;
}

export interface Suspect {
  verdict: 'confirmed' | 'likely' | 'possible';
  score: number;
  reasons: string[];
}

export interface Chain {
  schema_version: 1;
  kind: 'chain';
  mta: MtaName;
  host: string | null;
  queue_id: string;
  queue_ids: string[];
  /** qmail only: the number of the qmail-queue process, what the client was told. */
  qp?: number | null;
  message_id: string | null;
  /** "" is the null reverse-path, null is unknown. */
  reverse_path: string | null;
  size: number | null;
  origin: {
    kind: 'smtp' | 'local' | 'unknown';
    client_ip: string | null;
    client_name: string | null;
    auth_user: string | null;
  };
  first_seen: string | null;
  last_seen: string | null;
  ended: boolean;
  headless: boolean;
  recipients: ChainRecipient[];
  dsns: ChainDsn[];
  suppressed: { cause: string } | null;
  suspect: Suspect | null;
}
