/**
 * One mail, taken apart: header, text, and the parts that reports are made of. MIME is the library's work.
 *
 * Owns the bounds: a hostile mail costs a bounded time and memory and never throws; what a bound left out is said in
 * `notes`. Must not know what a bounce looks like.
 */
import PostalMime, { decodeWords, type Email } from 'postal-mime';

export interface Mail {
  /** Names in lower case, in the mail's order; values unfolded, encoded words as they are. */
  readonly header: readonly Field[];
  /** Subject with its encoded words decoded. */
  readonly subject: string | null;
  /** Media type in lower case, and `report-type` of a multipart/report (RFC 6522). */
  readonly type: string;
  readonly reportType: string | null;
  /** All text for people, LF lines. */
  readonly text: string;
  /** Content of the first part of this kind. */
  readonly deliveryStatus: string | null;
  readonly dispositionNotification: string | null;
  readonly feedbackReport: string | null;
  /** Attached messages (message/rfc822), or their headers alone (text/rfc822-headers). */
  readonly messages: readonly AttachedMessage[];
  /** What was not read, a sentence each. */
  readonly notes: readonly string[];
}

export interface Field {
  readonly name: string;
  readonly value: string;
}

export interface AttachedMessage {
  readonly bytes: Uint8Array;
  readonly headersOnly: boolean;
}

const LF = 0x0a;
const CR = 0x0d;
const DASH = 0x2d;

const DEEPEST = 24;
const MOST_HEADER = 1 << 19;
/** Lines that may be boundaries: each is a part, and a part costs about a kilobyte. */
const MOST_BOUNDARIES = 5000;
/** The library keeps each line by itself: 10 us and a kilobyte. Ordinary text has fewer in 4 MiB. */
const MOST_LINES = 60_000;
const MOST_LINE = 1 << 14;
const MOST_TEXT = 1 << 20;
const MOST_STATUS = 1 << 20;
const MOST_FIELDS = 2000;
const MOST_MESSAGES = 5;

/** The bytes may be only the beginning of the mail. */
export async function readMail(bytes: Uint8Array): Promise<Mail> {
  const notes: string[] = [];
  let kept = cutLines(withLines(bytes));
  if (kept.length < bytes.length)
    notes.push(`too many lines or parts; only the first ${kept.length} bytes were read`);
  let email: Email;
  try {
    email = await parse(kept);
  } catch (error) {
    notes.push(
      `not read as MIME, but as plain text: ${error instanceof Error ? error.message : String(error)}`,
    );
    kept = withoutMime(kept);
    email = await parse(kept);
  }
  const { header, type, reportType } = headerOf(email);
  const parts = email.attachments.map(({ mimeType, content }) => ({ mimeType, bytes: bytesOf(content) }));
  const textOf = (...types: string[]): string | null => {
    const part = parts.find(({ mimeType }) => types.includes(mimeType));
    return part === undefined ? null : decode(part.bytes.subarray(0, MOST_STATUS));
  };
  const text = email.text ?? (email.html === undefined ? '' : textOfHtml(email.html.slice(0, MOST_TEXT)));
  if (text.length > MOST_TEXT) notes.push('the text is longer than 1 MiB; the rest was not read');
  const messages: AttachedMessage[] = [];
  for (const { mimeType, bytes: content } of parts) {
    const headersOnly = HEADERS_ONLY.has(mimeType);
    if ((headersOnly || MESSAGES.has(mimeType)) && messages.length < MOST_MESSAGES) {
      messages.push({ bytes: content, headersOnly });
    }
  }
  return {
    header,
    subject: email.subject ?? null,
    type,
    reportType,
    text: text.slice(0, MOST_TEXT).replace(/\r\n?/g, '\n'),
    deliveryStatus: textOf('message/delivery-status', 'message/global-delivery-status'),
    dispositionNotification: textOf(
      'message/disposition-notification',
      'message/global-disposition-notification',
    ),
    feedbackReport: textOf('message/feedback-report'),
    messages,
    notes,
  };
}

const MESSAGES = new Set(['message/rfc822', 'message/global']);
const HEADERS_ONLY = new Set(['text/rfc822-headers', 'message/rfc822-headers', 'message/global-headers']);

/** First field of this name. */
export function fieldOf(mail: Pick<Mail, 'header'>, name: string): string | null {
  return mail.header.find((field) => field.name === name)?.value ?? null;
}

export function fieldsOf(mail: Pick<Mail, 'header'>, name: string): string[] {
  return mail.header.filter((field) => field.name === name).map((field) => field.value);
}

/** Encoded words (RFC 2047) of a field, for people. */
export function readable(value: string | null): string | null {
  return value === null ? null : decodeWords(value.slice(0, 2000));
}

/** Fields that every mail has some of; a log or a picture has none. */
const USUAL = new Set([
  'from',
  'to',
  'date',
  'subject',
  'received',
  'message-id',
  'return-path',
  'delivered-to',
  'mime-version',
  'content-type',
]);

export function looksLikeMail(mail: Pick<Mail, 'header'>): boolean {
  return mail.header.some((field) => USUAL.has(field.name));
}

function parse(bytes: Uint8Array): Promise<Email> {
  return PostalMime.parse(bytes, {
    forceRfc822Attachments: true,
    maxNestingDepth: DEEPEST,
    maxHeadersSize: MOST_HEADER,
  });
}

function headerOf(email: Email): Pick<Mail, 'header' | 'type' | 'reportType'> {
  const header = email.headers
    .slice(0, MOST_FIELDS)
    .map(({ key, value }) => ({ name: key, value: value.slice(0, 1 << 16) }));
  const contentType =
    header.find((field) => field.name === 'content-type')?.value.toLowerCase() ?? 'text/plain';
  return {
    header,
    type: /^[^\s;]+/.exec(contentType)?.[0] ?? 'text/plain',
    reportType: /;\s*report-type\s*=\s*"?([a-z-]+)/.exec(contentType)?.[1] ?? null,
  };
}

function bytesOf(content: ArrayBuffer | Uint8Array | string): Uint8Array {
  if (typeof content === 'string') return Buffer.from(content);
  return content instanceof Uint8Array ? content : new Uint8Array(content);
}

/** Servers write what they like into 8 bits; what is not UTF-8 is shown as U+FFFD. */
function decode(bytes: Uint8Array): string {
  return new TextDecoder('utf-8').decode(bytes).replace(/\r\n?/g, '\n');
}

/** Files of old Macintoshes end lines in CR alone. */
function withLines(bytes: Uint8Array): Uint8Array {
  const start = bytes.subarray(0, 1 << 16);
  if (start.includes(LF) || !start.includes(CR)) return bytes;
  return bytes.map((byte) => (byte === CR ? LF : byte));
}

function cutLines(bytes: Uint8Array): Uint8Array {
  let boundaries = 0;
  let at = 0;
  for (let lines = 0; lines < MOST_LINES; lines += 1) {
    if (bytes[at] === DASH && bytes[at + 1] === DASH) boundaries += 1;
    if (boundaries > MOST_BOUNDARIES) return bytes.subarray(0, at);
    const newline = bytes.indexOf(LF, at);
    if (newline < 0) return bytes;
    at = newline + 1;
  }
  return bytes.subarray(0, at);
}

/** The same mail as plain text, its header cut: for what the library refuses. */
function withoutMime(bytes: Uint8Array): Uint8Array {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const end = /\r?\n\r?\n/.exec(buffer.toString('latin1'));
  const header = buffer.subarray(0, end === null ? buffer.length : end.index);
  const lines: string[] = [];
  let size = 0;
  let drop = false;
  for (const line of header.toString('latin1').split(/\r?\n/)) {
    if (!/^[ \t]/.test(line)) drop = /^(?:content-|mime-version)/i.test(line);
    if (drop) continue;
    const kept = line.slice(0, MOST_LINE);
    size += kept.length + 2;
    if (size > MOST_HEADER / 2) break;
    lines.push(kept);
  }
  const body = end === null ? Buffer.alloc(0) : buffer.subarray(end.index);
  return Buffer.concat([
    Buffer.from(lines.join('\n'), 'latin1'),
    Buffer.from('\n\n'),
    body.subarray(0, MOST_TEXT),
  ]);
}

/** For mails that have HTML only: lines where blocks end, no tags, the few entities that matter. */
function textOfHtml(html: string): string {
  return html
    .replace(/<(?:br|\/p|\/div|\/tr|\/h\d|\/li)\b[^<>]{0,200}>/gi, '\n')
    .replace(/<[^<>]{0,2000}>/g, ' ')
    .replace(/&(?:lt|gt|amp|quot|nbsp|#39|#64);/g, (entity) => ENTITIES[entity] ?? entity)
    .replace(/[ \t]+/g, ' ');
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&lt;': '<',
  '&gt;': '>',
  '&amp;': '&',
  '&quot;': '"',
  '&nbsp;': ' ',
  '&#39;': "'",
  '&#64;': '@',
};
