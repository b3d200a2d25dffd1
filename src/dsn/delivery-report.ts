/**
 * The fields of a delivery report: the text of a `message/delivery-status` part (RFC 3464 section 2, RFC 6533).
 *
 * Owns groups, folding, typed values and comments. No judgement: what the fields mean together is explain's. Never
 * throws; what a mail claims is kept as it stands, only cut to a sane length.
 */
import { unwrapAddress } from './address.ts';

/** Fields about the message (RFC 3464 section 2.2) and about each recipient (section 2.3). */
export interface DeliveryReport {
  readonly originalEnvelopeId: string | null;
  /** Name without its type: `dns; mx.example.org` is mx.example.org. */
  readonly reportingMta: string | null;
  readonly receivedFromMta: string | null;
  /** As printed, an RFC 5322 date. */
  readonly arrivalDate: string | null;
  /** Postfix's extensions [bounce/bounce_notify_util.c bounce_header_dsn]. */
  readonly queueId: string | null;
  readonly sender: string | null;
  readonly recipients: readonly ReportedFields[];
  /** Recipients beyond MOST_RECIPIENTS. */
  readonly leftOut: number;
}

export interface ReportedFields {
  readonly finalRecipient: string | null;
  readonly originalRecipient: string | null;
  /** Lower case, without comments: failed, delayed, delivered, relayed, expanded; Postfix also (un)deliverable. */
  readonly action: string | null;
  /** Enhanced status code (RFC 3463), without comments. */
  readonly status: string | null;
  readonly remoteMta: string | null;
  /** "smtp", "x-postfix", ... in lower case. */
  readonly diagnosticType: string | null;
  readonly diagnosticCode: string | null;
  readonly lastAttemptDate: string | null;
  readonly willRetryUntil: string | null;
}

export const MOST_RECIPIENTS = 1000;
const LONGEST_VALUE = 2000;

type Group = Map<string, string>;

export function parseDeliveryReport(text: string): DeliveryReport {
  const message: Group = new Map();
  const recipients: ReportedFields[] = [];
  let leftOut = 0;
  for (const group of groups(text)) {
    if (!isAboutRecipient(group)) {
      for (const [name, value] of group) if (!message.has(name)) message.set(name, value);
    } else if (recipients.length < MOST_RECIPIENTS) {
      recipients.push(reported(group));
      // Without the blank line between them, the first group is both.
      for (const [name, value] of group)
        if (ABOUT_MESSAGE.has(name) && !message.has(name)) message.set(name, value);
    } else leftOut += 1;
  }
  return {
    originalEnvelopeId: message.get('original-envelope-id') ?? null,
    reportingMta: typed(message.get('reporting-mta'))?.value || null,
    receivedFromMta: typed(message.get('received-from-mta'))?.value || null,
    arrivalDate: message.get('arrival-date') ?? null,
    queueId: message.get('x-postfix-queue-id') ?? null,
    sender: address(message.get('x-postfix-sender')),
    recipients,
    leftOut,
  };
}

const ABOUT_MESSAGE = new Set([
  'original-envelope-id',
  'reporting-mta',
  'received-from-mta',
  'arrival-date',
  'x-postfix-queue-id',
  'x-postfix-sender',
]);

function isAboutRecipient(group: Group): boolean {
  return group.has('final-recipient') || group.has('original-recipient') || group.has('action');
}

/** Blank lines part groups; so does a second Final-Recipient where a blank line is missing. */
function* groups(text: string): IterableIterator<Group> {
  let group: Group = new Map();
  for (const [name, value] of fields(text)) {
    if (name === '' || (name === 'final-recipient' && group.has(name))) {
      if (group.size > 0) yield group;
      group = new Map();
    }
    if (name !== '' && !group.has(name)) group.set(name, value);
  }
  if (group.size > 0) yield group;
}

/** Name in lower case and unfolded value; a blank line is a field without a name. Other lines are passed over. */
function* fields(text: string): IterableIterator<readonly [string, string]> {
  let name = '';
  let value = '';
  for (const line of text.split('\n')) {
    const folded = name !== '' && (line.startsWith(' ') || line.startsWith('\t'));
    if (folded && line.trim() !== '') {
      if (value.length < LONGEST_VALUE) value = `${value} ${line.trim().slice(0, LONGEST_VALUE)}`;
      continue;
    }
    if (name !== '') yield [name, value.trim().slice(0, LONGEST_VALUE)];
    name = '';
    if (line.trim() === '') {
      yield ['', ''];
      continue;
    }
    const colon = line.indexOf(':');
    if (colon < 1 || colon > 76) continue;
    name = line.slice(0, colon).trim().toLowerCase();
    value = line.slice(colon + 1).trim();
  }
  if (name !== '') yield [name, value.trim().slice(0, LONGEST_VALUE)];
}

function reported(group: Group): ReportedFields {
  const diagnostic = typed(group.get('diagnostic-code'));
  return {
    finalRecipient: address(group.get('final-recipient')),
    originalRecipient: address(group.get('original-recipient')),
    action: /^[a-z-]+/.exec((group.get('action') ?? '').toLowerCase())?.[0] ?? null,
    status: /^[245]\.\d{1,3}\.\d{1,3}/.exec(group.get('status') ?? '')?.[0] ?? null,
    remoteMta: typed(group.get('remote-mta'))?.value || null,
    diagnosticType: diagnostic?.type ?? null,
    diagnosticCode: diagnostic?.value || null,
    lastAttemptDate: group.get('last-attempt-date') ?? null,
    willRetryUntil: group.get('will-retry-until') ?? null,
  };
}

/** `dns; mx.example.org` in its two halves; a value without type is taken as it is. */
function typed(field: string | undefined): { type: string | null; value: string } | null {
  if (field === undefined || field === '') return null;
  const parts = /^([A-Za-z0-9-]{1,40})\s*;\s*/.exec(field);
  if (parts === null) return { type: null, value: field };
  return { type: parts[1].toLowerCase(), value: field.slice(parts[0].length) };
}

/** `rfc822; <a@b>` -> `a@b`; `utf-8; \x{E4}@b` is unitext (RFC 6533 section 3). "" is the null reverse-path. */
function address(field: string | undefined): string | null {
  const parts = typed(field);
  if (parts === null) return null;
  const bare = unwrapAddress(parts.value);
  if (parts.type !== 'utf-8') return bare;
  return bare.replace(/\\x\{([0-9A-Fa-f]{2,6})\}/g, (whole, hex: string) => {
    const code = Number.parseInt(hex, 16);
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}
