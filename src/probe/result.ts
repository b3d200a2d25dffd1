/**
 * What a probe found out, and the JSON that it prints. Keys are snake_case because this is the JSON.
 */

export interface ProbeResult {
  schema_version: 1;
  kind: 'probe';
  /** False when the dialogue broke off; what is known until then stands all the same. */
  complete: boolean;
  error: string | null;
  host: string;
  port: number;
  /** The address that was talked to. */
  address: string | null;
  greeting: { code: number; text: string } | null;
  /** Whether EHLO was understood; null when it was not asked. */
  esmtp: boolean | null;
  tls: TlsFacts | null;
  /** EHLO keywords, upper case, after TLS where there is TLS. */
  keywords: string[];
  /** What EHLO said before STARTTLS; null without STARTTLS. */
  keywords_before_tls: string[] | null;
  dsn: 'announced' | 'not_announced' | 'unknown';
  /** MAIL FROM; null when it was not asked. */
  mail: {
    reverse_path: string;
    code: number;
    text: string;
    /** RET and ENVID (RFC 3461 sections 4.3 and 4.4); asked where DSN is announced. */
    ret_envid: Asked;
  } | null;
  /** --rcpt; null without. */
  recipient: RecipientAnswer | null;
  /** One that cannot exist, in the same domain; null when it was not asked. */
  unknown_recipient: RecipientAnswer | null;
  transcript: Line[];
}

/** `undecided`: refused with and without, or put off. */
export type Asked = 'accepted' | 'refused' | 'undecided' | 'not_asked';

export interface RecipientAnswer {
  address: string;
  /** `deferred` is a 4xx reply. `undecided`: we are refused, whatever the recipient. */
  result: 'accepted' | 'refused' | 'deferred' | 'undecided' | 'not_asked';
  /** NOTIFY (RFC 3461 section 4.1). */
  notify: Asked;
  /** Of the reply that decided. Where NOTIFY was refused, that refusal. */
  code: number | null;
  text: string | null;
}

export interface TlsFacts {
  how: 'starttls' | 'implicit';
  /** "TLSv1.3"; null when the handshake failed. */
  protocol: string | null;
  /** Whether the certificate holds for this host; the probe goes on without. */
  trusted: boolean;
  problem: string | null;
}

/** Of the session, in order. */
export interface Line {
  from: 'client' | 'server' | 'note';
  text: string;
}
