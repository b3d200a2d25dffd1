/**
 * A mail to its explanation: what it is, who made it, about which message, and why.
 *
 *   bytes -> mail.ts (MIME) -> rfc3464.ts | qsbmf.ts | wording.ts | other-mail.ts -> Explanation
 *
 * Owns the order of the readers, and what is taken from which field. The log's part is search.ts. Never throws for
 * what is in a mail.
 */
import { bounceAddress, domainOf, unwrapAddress } from '../dsn/address.ts';
import type { ExplainedHop, ExplainedOriginal, Explanation } from './explanation.ts';
import { fieldOf, fieldsOf, looksLikeMail, type Mail, readable, readMail } from './mail.ts';
import type { RawMail } from './mailbox.ts';
import { isAutoReply, isSessionNotice, reportOfOtherKind } from './other-mail.ts';
import { readQsbmf } from './qsbmf.ts';
import type { Reading } from './reading.ts';
import { type Hop, hopsOf, isoTime, parseDate } from './received.ts';
import { readRfc3464 } from './rfc3464.ts';
import { readWording } from './wording.ts';

/** Bounces of bounces of bounces are not looked into. */
const DEEPEST_ORIGINAL = 3;

/** null if the bytes are no mail. */
export async function explainMail(raw: RawMail, path: string): Promise<Explanation | null> {
  const mail = await readMail(raw.bytes);
  if (!looksLikeMail(mail)) return null;
  const notes = [...mail.notes];
  if (raw.bytes.length < raw.size) {
    notes.push(`the mail has ${raw.size} bytes; only the first ${raw.bytes.length} were read`);
  }
  let bounce = mail;
  let reading = readBounce(mail);
  let attached = false;
  if (reading === null && reportOfOtherKind(mail) === null) {
    // Somebody sent us the bounce that he got.
    for (const message of mail.messages) {
      const inner = await readMail(message.bytes);
      reading = readBounce(inner);
      if (reading === null) continue;
      bounce = inner;
      attached = true;
      break;
    }
  }
  const explanation: Explanation = {
    schema_version: 1,
    kind: 'explanation',
    source: { path, number: raw.number, size: raw.size, bytes_read: raw.bytes.length },
    mail: envelopeOf(bounce),
    type: 'other',
    shape: 'none',
    certainty: 'certain',
    postmaster_copy: false,
    attached,
    reporter: null,
    recipients: [],
    recipients_left_out: 0,
    original: null,
    log: null,
    notes,
  };
  if (reading === null) {
    explanation.type = typeOfOther(mail);
    // What an MTA says of a session has an author and an id, if no original.
    if (explanation.type === 'postmaster_notice') explanation.reporter = reporterOf(mail, NO_READING);
    if (mail.reportType === 'delivery-status') {
      notes.push('multipart/report without the delivery-status part that it announces');
    }
    return explanation;
  }
  explanation.type = reading.type;
  explanation.shape = reading.shape;
  explanation.certainty = reading.certainty;
  explanation.reporter = reporterOf(bounce, reading);
  explanation.recipients = [...reading.recipients];
  explanation.recipients_left_out = reading.leftOut;
  explanation.original = await originalOf(bounce, reading, explanation.reporter?.host ?? null, 1);
  explanation.postmaster_copy = reading.type !== 'double_bounce' && isPostmasterCopy(bounce);
  if (!explanation.postmaster_copy && explanation.original.reverse_path === null && !attached) {
    explanation.original.reverse_path = addresseeOf(bounce);
  }
  return explanation;
}

function readBounce(mail: Mail): Reading | null {
  if (reportOfOtherKind(mail) !== null || isSessionNotice(mail)) return null;
  return readRfc3464(mail) ?? readQsbmf(mail) ?? (isAutoReplyOnly(mail) ? null : readWording(mail));
}

/** Auto-replies say "could not", "unknown" and the like; MTAs mark their bounces as automatic, too. */
function isAutoReplyOnly(mail: Mail): boolean {
  return isAutoReply(mail) && !/mailer-daemon|postmaster|mail delivery/i.test(fieldOf(mail, 'from') ?? '');
}

function typeOfOther(mail: Mail): Explanation['type'] {
  const report = reportOfOtherKind(mail);
  if (report !== null) return report;
  if (isSessionNotice(mail)) return 'postmaster_notice';
  return isAutoReply(mail) ? 'auto_reply' : 'other';
}

const NO_READING: Pick<Reading, 'host' | 'shape'> = { host: null, shape: 'none' };

function envelopeOf(mail: Mail): Explanation['mail'] {
  const returnPath = fieldOf(mail, 'return-path');
  return {
    message_id: fieldOf(mail, 'message-id'),
    return_path: returnPath === null ? null : unwrapAddress(returnPath.trim()),
    from: readable(fieldOf(mail, 'from')),
    to: readable(fieldOf(mail, 'to')),
    subject: mail.subject,
    date: isoTime(parseDate(fieldOf(mail, 'date'))),
  };
}

/** To whom the bounce was sent: DSNs go to the reverse-path of the original (RFC 5321 section 4.5.5). */
function addresseeOf(mail: Mail): string | null {
  const to = fieldOf(mail, 'to') ?? fieldOf(mail, 'delivered-to');
  if (to === null) return null;
  const address = unwrapAddress(to.trim());
  return address.includes('@') && !/[\s,]/.test(address.replace(/^"[^"]*"/, ''))
    ? bounceAddress(address)
    : null;
}

function isPostmasterCopy(mail: Mail): boolean {
  if (/^Postmaster (?:copy|warning|notify)\b/i.test(mail.subject ?? '')) return true;
  return /postmaster-notification/i.test(fieldOf(mail, 'auto-submitted') ?? '');
}

/** Signs of who made a bounce, in the order of their weight. */
const MAKERS: readonly (readonly [string, (mail: Mail, oldest: string) => boolean])[] = [
  ['qmail', (_, oldest) => /^\(qmail \d+ invoked for bounce\)/.test(oldest)],
  [
    'postfix',
    (mail, oldest) =>
      /^by \S+ \(Postfix\b/.test(oldest) ||
      /^x-postfix-queue-id:/im.test(mail.deliveryStatus ?? '') ||
      /^This is the (?:mail system|Postfix program) at host /m.test(mail.text.slice(0, 2000)),
  ],
  ['exim', (mail, oldest) => /\(Exim\b/.test(oldest) || fieldOf(mail, 'x-failed-recipients') !== null],
  [
    'exchange',
    (mail) =>
      mail.header.some(({ name }) => name.startsWith('x-ms-exchange-')) ||
      /^(?:Generating server:|Diagnostic information for administrators:)/m.test(mail.text.slice(0, 20_000)),
  ],
  ['google', (mail) => /mailer-daemon@google(?:mail)?\.com/i.test(fieldOf(mail, 'from') ?? '')],
  ['sendmail', (_, oldest) => /^from localhost \(localhost\)\s+by \S+ \([^)]*8\.\d+\.\d+/.test(oldest)],
  [
    'sendmail',
    (mail) =>
      /^\s{0,8}-{3,} ?(?:Transcript of session follows|The following addresses had)/m.test(
        mail.text.slice(0, 20_000),
      ),
  ],
  ['opensmtpd', (mail) => /OpenSMTPD/.test(mail.text.slice(0, 4000))],
  ['haraka', (mail) => /\bHaraka\b/.test(`${mail.text.slice(0, 4000)}`)],
  ['mdaemon', (mail) => /MDaemon/.test(`${fieldOf(mail, 'from') ?? ''} ${mail.text.slice(0, 4000)}`)],
  ['domino', (mail) => /(?:Lotus|IBM|HCL) ?Domino|Notes\/Domino/i.test(mail.text.slice(0, 4000))],
];

function reporterOf(mail: Mail, reading: Pick<Reading, 'host' | 'shape'>): Explanation['reporter'] {
  const received = fieldsOf(mail, 'received');
  const oldest = received.at(-1)?.replace(/\s+/g, ' ').trim() ?? '';
  const last = hopsOf(received).at(-1);
  const mta =
    MAKERS.find(([, sign]) => sign(mail, oldest))?.[0] ?? (reading.shape === 'qsbmf' ? 'qmail' : null);
  // Bounces carry no foreign header: the oldest Received field is the maker's own, if it is his at all.
  const own = last !== undefined && (last.qp !== null || isMakersOwn(last, oldest, reading.host, mta));
  const hop = own ? last : null;
  const sender = domainOf(unwrapAddress(fieldOf(mail, 'from') ?? ''));
  return {
    mta,
    host: reading.host ?? hop?.by ?? (sender === '' ? null : sender),
    queue_id: hop?.queueId ?? null,
    qp: hop?.qp ?? null,
    at: isoTime(hop?.at ?? parseDate(fieldOf(mail, 'date'))),
  };
}

function isMakersOwn(hop: Hop, oldest: string, host: string | null, mta: string | null): boolean {
  if (hop.by !== null && host !== null && hop.by.toLowerCase() === host.toLowerCase()) return true;
  // Postfix and Exim name no client for what they make themselves; sendmail says "from localhost (localhost)".
  return mta !== null && (!oldest.startsWith('from ') || /^from localhost \(localhost\)/.test(oldest));
}

/** What came back of the message, and what the report says of it. */
async function originalOf(
  bounce: Mail,
  reading: Reading,
  host: string | null,
  depth: number,
): Promise<ExplainedOriginal> {
  const said = reading.original;
  const attachedMessage = bounce.messages[0] ?? null;
  const bytes = attachedMessage?.bytes ?? (reading.returned === null ? null : Buffer.from(reading.returned));
  const message = bytes === null || bytes.length === 0 ? null : await readMail(bytes);
  if (message === null || !looksLikeMail(message)) {
    return {
      ...EMPTY_ORIGINAL,
      reverse_path: said.reversePath,
      queue_id: said.queueId,
      envelope_id: said.envelopeId,
      arrived_at: isoTime(parseDate(said.arrivalDate)),
    };
  }
  const hops = hopsOf(fieldsOf(message, 'received'));
  const first = reportersHop(hops, host, reading);
  const inner = depth < DEEPEST_ORIGINAL ? readBounce(message) : null;
  const returnPath = fieldOf(message, 'return-path');
  const reversePath = said.reversePath ?? (returnPath === null ? null : unwrapAddress(returnPath.trim()));
  return {
    message_id: fieldOf(message, 'message-id'),
    // sendmail prints the null reverse-path of its own DSN as MAILER-DAEMON [savemail.c].
    reverse_path: inner !== null && /^mailer-daemon(?:@|$)/i.test(reversePath ?? '') ? '' : reversePath,
    queue_id: said.queueId ?? first?.queueId ?? null,
    qp: said.queueId === null ? (first?.qp ?? null) : null,
    envelope_id: said.envelopeId,
    arrived_at: isoTime(parseDate(said.arrivalDate) ?? first?.at ?? null),
    client_name: first?.from ?? null,
    client_ip: first?.ip ?? null,
    from: readable(fieldOf(message, 'from')),
    subject: message.subject,
    date: isoTime(parseDate(fieldOf(message, 'date'))),
    returned: attachedMessage?.headersOnly || message.text.trim() === '' ? 'headers' : 'message',
    hops: hops.map(printHop),
    original: inner === null ? null : await originalOf(message, inner, inner.host ?? host, depth + 1),
  };
}

const EMPTY_ORIGINAL: ExplainedOriginal = {
  message_id: null,
  reverse_path: null,
  queue_id: null,
  qp: null,
  envelope_id: null,
  arrived_at: null,
  client_name: null,
  client_ip: null,
  from: null,
  subject: null,
  date: null,
  returned: 'nothing',
  hops: [],
  original: null,
};

/**
 * The hop by which the message came to the host that reports: the oldest of the newest fields that are that host's. A
 * message that went through a filter or an alias there has several. qmail-send calls itself by control/me, which
 * qmail-smtpd's field need not have; but qmail-queue's field is always the newest.
 */
function reportersHop(hops: readonly Hop[], host: string | null, { shape }: Reading): Hop | null {
  if (host === null) return hops[0] ?? null;
  let name = host.toLowerCase();
  let found: Hop | null = null;
  for (const hop of hops) {
    if (found === null && shape === 'qsbmf' && hop.qp !== null && hop.by !== null)
      name = hop.by.toLowerCase();
    const own = hop.by === null ? hop.qp !== null : hop.by.toLowerCase() === name;
    if (!own) break;
    found = hop;
  }
  return found;
}

function printHop({ by, queueId, qp, from, ip, at }: Hop): ExplainedHop {
  return { by, queue_id: queueId, qp, from, ip, at: isoTime(at) };
}
