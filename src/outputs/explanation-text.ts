/**
 * An explanation for people: what the mail is, the message that it is about, why, and what the logs know of it.
 *
 * Owns the wording. Every text of the mail goes through `printable`.
 */
import {
  BOUNCE_TYPES,
  type ChainMatch,
  type Conclusion,
  type ExplainedOriginal,
  type ExplainedRecipient,
  type Explanation,
  type LogFindings,
  type MailType,
  type MatchEvidence,
  type Shape,
} from '../explain/explanation.ts';
import { chainText } from './chain-text.ts';
import { printable } from './escape.ts';
import { localTime, zoneName } from './figures.ts';
import { type Style, styleFor } from './style.ts';

export interface ExplanationTextOptions {
  readonly color: boolean;
  /** As for chains. */
  readonly zone?: string;
}

/** Ends in an empty line, so that several stand apart. */
export function explanationText(explanation: Explanation, options: ExplanationTextOptions): string {
  const page = new Page(styleFor(options.color), options.zone);
  const { source, original, log } = explanation;
  page.title(source.number === null ? source.path : `${source.path}, mail ${source.number}`);
  page.line(1, headline(explanation), page.style.strong);
  page.words(1, [
    page.time(explanation.reporter?.at ?? explanation.mail.date),
    labelled('queue id', explanation.reporter?.queue_id),
    labelled('qp', explanation.reporter?.qp),
    labelled('to', explanation.mail.to),
    labelled('Message-ID', explanation.mail.message_id),
  ]);
  if (explanation.mail.subject !== null) page.line(1, `Subject: ${explanation.mail.subject}`);
  for (const note of explanation.notes) page.line(1, `Note: ${note}`, page.style.alarm);
  if (original !== null)
    showOriginal(page, original, explanation.reporter?.host ?? null, 'About the message');
  if (explanation.recipients.length > 0) {
    page.heading('Recipients');
    for (const recipient of explanation.recipients) showRecipient(page, recipient);
    if (explanation.recipients_left_out > 0) page.line(1, `and ${explanation.recipients_left_out} more`);
  }
  if (log !== null) showLog(page, log, explanation, options);
  return `${page.lines.join('\n')}\n\n`;
}

class Page {
  readonly lines: string[] = [];
  readonly style: Style;
  readonly #zone: string | undefined;

  constructor(style: Style, zone: string | undefined) {
    this.style = style;
    this.#zone = zone;
  }

  title(text: string): void {
    this.lines.push(this.style.heading(printable(text)));
  }

  heading(text: string): void {
    this.lines.push('', this.style.heading(printable(text)));
  }

  line(depth: number, text: string, dress = (plain: string): string => plain): void {
    this.lines.push('  '.repeat(depth) + dress(printable(text)));
  }

  words(depth: number, words: readonly (string | null)[]): void {
    const said = words.filter((word) => word !== null);
    if (said.length > 0) this.line(depth, said.join(', '));
  }

  time(iso: string | null): string | null {
    return iso === null ? null : `${localTime(iso, this.#zone)} ${zoneName(this.#zone)}`;
  }
}

const TYPES: Readonly<Record<MailType, string>> = {
  failure: 'A failure DSN (bounce)',
  delay: 'A delay DSN: a warning, delivery goes on',
  success: 'A success DSN (return receipt)',
  relayed: 'A success DSN: relayed to a server that makes no DSNs of success',
  expanded: 'A success DSN: expanded to several addresses',
  double_bounce: 'A double bounce: a DSN that could not be delivered',
  verify_report: 'A report on addresses (sendmail -bv); no mail was sent',
  postmaster_notice: 'Not a bounce: a notice of the MTA about an SMTP session, for the postmaster',
  auto_reply: 'Not a bounce: an automatic reply',
  disposition_notification: 'Not a bounce: a disposition notification (RFC 8098) from a mail reader',
  feedback_report: 'Not a bounce: a complaint (feedback report, RFC 5965)',
  other: 'Not a bounce',
};

const SHAPES: Readonly<Record<Shape, string | null>> = {
  rfc3464: 'RFC 3464',
  qsbmf: "qmail's QSBMF, no multipart/report",
  exim: "Exim's wording, no delivery report",
  sendmail: "sendmail's wording, no delivery report",
  postfix: "Postfix's wording, no delivery report",
  exchange: "Exchange's wording, no delivery report",
  text: 'by its words only',
  none: null,
};

const MAKERS: Readonly<Record<string, string>> = {
  postfix: 'Postfix',
  exim: 'Exim',
  exchange: 'Exchange',
  google: 'Google',
  opensmtpd: 'OpenSMTPD',
  haraka: 'Haraka',
  mdaemon: 'MDaemon',
  domino: 'Domino',
};

function headline({ type, shape, certainty, postmaster_copy, attached, reporter }: Explanation): string {
  let text = TYPES[type];
  const form = SHAPES[shape];
  if (form !== null) text += `, ${form}`;
  if (certainty === 'likely') text += ', probably';
  if (postmaster_copy) text += ", the postmaster's copy";
  if (reporter !== null && (reporter.mta !== null || reporter.host !== null)) {
    text += `, made by ${reporter.mta === null ? 'an unknown MTA' : (MAKERS[reporter.mta] ?? reporter.mta)}`;
    if (reporter.host !== null) text += ` on ${reporter.host}`;
  }
  return attached ? `${text}; attached to the mail` : text;
}

function labelled(label: string, value: string | number | null | undefined): string | null {
  return value === null || value === undefined ? null : `${label} ${value}`;
}

function showOriginal(page: Page, original: ExplainedOriginal, host: string | null, heading: string): void {
  page.heading(heading);
  const id = labelled('queue id', original.queue_id) ?? labelled('qp', original.qp);
  page.words(1, [
    id === null || host === null ? id : `${id} on ${host}`,
    labelled('arrived', page.time(original.arrived_at)),
  ]);
  const client = clientOf(original);
  page.words(1, [
    original.reverse_path === null
      ? 'from an unknown reverse-path'
      : `from <${original.reverse_path}>${original.reverse_path === '' ? ' (a DSN or automatic mail: nobody to tell)' : ''}`,
    client === null ? null : `handed in by ${client}`,
    labelled('ENVID', original.envelope_id),
  ]);
  page.words(1, [labelled('Message-ID', original.message_id), labelled('Date', page.time(original.date))]);
  page.words(1, [labelled('From:', original.from), labelled('Subject:', original.subject)]);
  if (original.returned === 'nothing') page.line(1, 'nothing of it was returned');
  if (original.original !== null)
    showOriginal(page, original.original, host, 'Which itself was a bounce, about');
}

function clientOf({ client_name, client_ip }: ExplainedOriginal): string | null {
  if (client_name === null && client_ip === null) return null;
  const ip = client_ip === null ? '' : `[${client_ip}]`;
  if (client_name === null || client_name === ip) return ip;
  return client_name + ip;
}

function showRecipient(page: Page, recipient: ExplainedRecipient): void {
  const { recipient: address, original_recipient: original, outcome, status, reason } = recipient;
  const behind = original === null || original === address ? '' : ` (orig. <${original}>)`;
  page.words(1, [
    `<${address ?? '?'}>${behind}: ${outcome}${status === null ? '' : ` ${status}`}`,
    reason === null || reason === 'other' ? null : reason,
    labelled('retries until', page.time(recipient.will_retry_until)),
  ]);
  if (recipient.diagnostic !== null) {
    const { remote_mta: remote, diagnostic } = recipient;
    // qmail-remote names the server itself.
    const speaker = remote === null || diagnostic.includes(remote) ? '' : `${remote}: `;
    page.line(2, speaker + diagnostic, page.style.faint);
  } else if (recipient.remote_mta !== null) page.line(2, `by ${recipient.remote_mta}`, page.style.faint);
}

function showLog(
  page: Page,
  log: LogFindings,
  explanation: Explanation,
  options: ExplanationTextOptions,
): void {
  const hosts = log.hosts.length === 0 ? '' : `${log.hosts.join(', ')}; `;
  page.heading('In the logs');
  page.line(
    1,
    log.from === null || log.to === null
      ? 'no line with a time'
      : `${hosts}${page.time(log.from)} to ${page.time(log.to)}`,
    page.style.faint,
  );
  page.line(1, conclusion(log, explanation.type), page.style.strong);
  const hint = hintOf(log, explanation);
  if (hint !== null) page.line(1, hint);
  for (const match of log.matches) {
    page.line(
      1,
      `${ROLES[match.role]}, ${match.certainty}, by ${match.by.map((e) => EVIDENCE[e]).join(', ')}:`,
    );
    for (const line of chainText(match.chain, options).trimEnd().split('\n')) page.lines.push(`    ${line}`);
  }
  if (log.matches_left_out > 0) page.line(1, `and ${log.matches_left_out} more that match less well`);
}

const CONCLUSIONS: Readonly<Record<Conclusion, string>> = {
  made_here: 'The bounce was made here, for this message:',
  passed_here: 'The message passed through here; the bounce was made elsewhere.',
  not_here: 'No such message left here: a bounce for mail that these hosts never sent.',
  not_covered:
    'Nothing found. The logs do not surely cover the time of the message, or were not read in full: it proves nothing.',
  nothing_to_look_for: 'The mail names no message that a log could have.',
};

function conclusion({ conclusion: found, matches }: LogFindings, type: MailType): string {
  if (BOUNCE_TYPES.has(type)) return CONCLUSIONS[found];
  if (found === 'made_here') return 'It was made here:';
  return matches.length > 0 ? 'It came through here:' : CONCLUSIONS[found];
}

const ROLES = { cause: 'Cause', arrival: 'The mail itself' } as const;

const EVIDENCE: Readonly<Record<MatchEvidence, string>> = {
  queue_id: 'queue id',
  dsn_queue_id: "the bounce's queue id",
  message_id: 'Message-ID',
  reverse_path: 'reverse-path',
  recipient: 'recipient',
  time: 'time',
};

function hintOf(log: LogFindings, explanation: Explanation): string | null {
  if (log.conclusion === 'made_here') return originHint(log.matches.find((match) => match.role === 'cause'));
  if (log.conclusion !== 'not_here') return null;
  const host = explanation.reporter?.host ?? null;
  if (host !== null && log.hosts.some((name) => isSameHost(name, host))) {
    return `It claims to be made on ${host}, whose log this is: it is forged, or lines of the log are missing.`;
  }
  const sender = explanation.original?.reverse_path;
  const client = explanation.original === null ? null : clientOf(explanation.original);
  const whose = sender ? `Somebody used <${sender}> as reverse-path` : 'Somebody used an address of yours';
  return `${whose}${client === null ? '' : `; ${host ?? 'the host that bounced'} got the message from ${client}`}.`;
}

function originHint(match: ChainMatch | undefined): string | null {
  if (match === undefined || match.chain.reverse_path === '' || match.chain.reverse_path === null)
    return null;
  const { kind, auth_user, client_ip } = match.chain.origin;
  if (kind !== 'smtp' || auth_user !== null || client_ip === null) return null;
  return `[${client_ip}] handed it in without authentication; if <${match.chain.reverse_path}> did not send it, the bounce is backscatter of ours.`;
}

/** `mx1` in a log is `mx1.example.org` in a mail. */
function isSameHost(logged: string, host: string): boolean {
  const [a, b] = [logged.toLowerCase(), host.toLowerCase()];
  return a === b || b.startsWith(`${a}.`) || a.startsWith(`${b}.`);
}
