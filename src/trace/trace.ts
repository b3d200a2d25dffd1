/**
 * A trace as it is printed: a chain with every event of every id that it passed through.
 * Keys are snake_case because this is the JSON (docs/trace.md).
 */
import type { Chain, DsnKind } from '../chains/chain.ts';
import type { MtaName } from '../records/record.ts';
import type { MatchedBy } from './what.ts';

export type AttemptOutcome =
  | 'delivered'
  /** Handed to another id of this host: alias, .forward, filter. */
  | 'handed_on'
  | 'deferred'
  | 'failed'
  | 'expired'
  | 'discarded'
  | 'held'
  /** No try was made yet. */
  | 'queued'
  | 'probe'
  /** The transaction was refused after all. */
  | 'refused';

/** What one line says. Which keys an event has depends on its kind; what the line does not tell is null or absent. */
export type TraceEvent = { readonly at: string | null; readonly lines?: readonly string[] } & (
  | {
      readonly event: 'arrival';
      readonly origin: 'smtp' | 'local' | 'unknown';
      readonly client_ip: string | null;
      readonly client_name: string | null;
      readonly auth_user: string | null;
      readonly uid: number | null;
      readonly reverse_path: string | null;
      readonly size: number | null;
      readonly recipients: number | null;
      readonly message_id: string | null;
      /** The id that the message had before. */
      readonly older_queue_id: string | null;
    }
  | { readonly event: 'message_id'; readonly message_id: string | null }
  | {
      /** The queue manager took it up, at first or again. */
      readonly event: 'queued';
      readonly reverse_path: string | null;
      readonly size: number | null;
      readonly recipients: number | null;
      readonly uid: number | null;
      readonly qp: number | null;
    }
  | {
      readonly event: 'attempt';
      readonly recipient: string | null;
      readonly original_recipient: string | null;
      readonly outcome: AttemptOutcome;
      readonly status: string | null;
      readonly relay: string | null;
      readonly reply: string | null;
      /** What the next hop, or the alias, called it. */
      readonly next_queue_id: string | null;
      /** qmail: number of the delivery. */
      readonly delivery: number | null;
    }
  | {
      readonly event: 'attempt_started';
      readonly recipient: string;
      readonly delivery: number;
      readonly local: boolean;
    }
  | {
      readonly event: 'dsn';
      readonly kind: DsnKind | null;
      /** False where the line announced one that was not made. */
      readonly made: boolean;
      readonly queue_id: string | null;
      readonly reason: string | null;
    }
  | { readonly event: 'split'; readonly queue_ids: readonly string[] }
  | { readonly event: 'expired' }
  | {
      readonly event: 'discarded' | 'held';
      readonly reverse_path: string | null;
      readonly recipient: string | null;
    }
  | { readonly event: 'dsn_suppressed'; readonly cause: string }
  | { readonly event: 'dsn_lost' }
  | { readonly event: 'authenticated'; readonly auth_user: string | null }
  | {
      readonly event: 'client';
      readonly client_ip: string | null;
      readonly client_name: string | null;
      readonly auth_user: string | null;
    }
  | { readonly event: 'sender'; readonly reverse_path: string }
  | { readonly event: 'reply_continued'; readonly reply: string }
  | { readonly event: 'refused' | 'other'; readonly text: string; readonly program: string | null }
  | { readonly event: 'end'; readonly end: 'done' | 'cancelled' | 'discarded' | 'deleted' | 'requeued' }
);

export type GapKind =
  | 'beginning_missing'
  | 'no_line'
  | 'client_missing'
  | 'recipients_missing'
  | 'outcome_missing'
  | 'dsn_missing'
  | 'not_ended'
  | 'went_silent'
  | 'lines_not_kept';

/** Something that the log does not tell. */
export interface Gap {
  readonly gap: GapKind;
  /** A sentence about it. */
  readonly text: string;
}

/** One id that the message, or a DSN about it, had. */
export interface TraceLife {
  readonly mta: MtaName;
  readonly host: string | null;
  readonly queue_id: string;
  readonly qp?: number | null;
  /** How it hangs on `parent_queue_id`: the same message under another id, or a DSN about it. */
  readonly relation: 'message' | 'continues' | 'dsn';
  readonly parent_queue_id: string | null;
  readonly first_seen: string | null;
  readonly last_seen: string | null;
  readonly ended: boolean;
  readonly events: readonly TraceEvent[];
  readonly gaps: readonly Gap[];
}

export interface Trace {
  readonly schema_version: 1;
  readonly kind: 'trace';
  /** What was asked for. */
  readonly what: string;
  readonly matched_by: readonly MatchedBy[];
  /**
   * message: counts in the figures; null_message: a DSN or auto-reply that came in; headless: its beginning is not in the
   * log; probe: no mail; nothing: never became anybody's responsibility.
   */
  readonly nature: 'message' | 'null_message' | 'headless' | 'probe' | 'nothing';
  /** As `chains` prints it. */
  readonly chain: Chain;
  /** The root first, each life before those that hang on it. */
  readonly lives: readonly TraceLife[];
}

/** Lines about the address in the SMTP dialogue: refused, so that no message came of it. */
export interface TraceRefusals {
  readonly schema_version: 1;
  readonly kind: 'refusals';
  readonly what: string;
  /** All of them. */
  readonly count: number;
  readonly first_at: string | null;
  readonly last_at: string | null;
  /** The last ones. */
  readonly last: readonly {
    readonly at: string | null;
    readonly host: string | null;
    readonly text: string;
  }[];
}
