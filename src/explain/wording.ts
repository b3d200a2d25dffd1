/**
 * Bounces without a delivery report: the layouts of Exim, old sendmail, Postfix and Exchange, and at last the words
 * that bounces use.
 *
 * Owns their texts. A guess by words alone is marked `likely`, and needs a sender that bounces have.
 */
import { unwrapAddress } from '../dsn/address.ts';
import type { ExplainedRecipient, MailType, RecipientOutcome } from './explanation.ts';
import { fieldOf, type Mail } from './mail.ts';
import {
  failedOrExpired,
  MOST_RECIPIENTS,
  NOTHING_SAID,
  type Reading,
  recipientOf,
  typeOf,
} from './reading.ts';

/** What is looked at of the text before the returned message. */
const MOST_LINES = 5000;

const ADDRESS = /[^\s<>()[\],;:"']{1,200}@[A-Za-z0-9.-]{1,255}[A-Za-z0-9]/;

/** The first layout that fits; null for a mail that does not read like a bounce. */
export function readWording(mail: Mail): Reading | null {
  const parts = separate(mail.text);
  for (const layout of LAYOUTS) {
    const found = layout(mail, parts.report);
    if (found === null) continue;
    const { host = null, queueId = null, ...rest } = found;
    // Many write in a layout's words and place the addresses elsewhere.
    const recipients =
      found.recipients.length > 0 ? found.recipients : scanned(mail, parts.report, found.type === 'delay');
    return {
      ...rest,
      host,
      recipients: recipients.slice(0, MOST_RECIPIENTS),
      leftOut: Math.max(0, recipients.length - MOST_RECIPIENTS),
      returned: parts.returned,
      original: { ...NOTHING_SAID, queueId },
    };
  }
  return null;
}

interface Found extends Pick<Reading, 'type' | 'shape' | 'certainty'> {
  readonly host?: string | null;
  readonly queueId?: string | null;
  readonly recipients: readonly ExplainedRecipient[];
}

type Layout = (mail: Mail, report: readonly string[]) => Found | null;

const SEPARATOR =
  /^\s*-{2,}.{0,40}\b(?:original|returned|unsent|undelivered|message|headers?)\b.{0,60}\b(?:message|follows?|below|copy|headers?|returned)\b.{0,60}$/i;

/** The report's lines, and the original below them: after a line that says so, or where a header begins. */
function separate(text: string): { report: string[]; returned: string | null } {
  const lines = text.split('\n', MOST_LINES);
  for (let i = 0; i < lines.length; i += 1) {
    if (SEPARATOR.test(lines[i].slice(0, 300)) && hasHeaderBelow(lines, i + 1)) {
      return { report: lines.slice(0, i), returned: below(lines, i + 1) };
    }
    // At least two fields in a row, after a blank line.
    if (i > 2 && lines[i - 1].trim() === '' && isField(lines[i]) && hasHeaderBelow(lines, i)) {
      return { report: lines.slice(0, i), returned: below(lines, i) };
    }
  }
  return { report: lines, returned: null };
}

function isField(line: string): boolean {
  return /^\s{0,8}(?:Return-Path|Received|Message-ID|From|To|Date|Subject|Delivered-To|MIME-Version|X-[\w-]{1,60}): ?\S/i.test(
    line,
  );
}

function hasHeaderBelow(lines: readonly string[], from: number): boolean {
  let fields = 0;
  for (const line of lines.slice(from, from + 12)) {
    if (isField(line)) fields += 1;
    if (fields >= 2) return true;
  }
  return false;
}

/** Some indent the copy. */
function below(lines: readonly string[], from: number): string {
  let at = from;
  while (at < lines.length && lines[at].trim() === '') at += 1;
  const indent = /^[ \t]*/.exec(lines[at] ?? '')?.[0] ?? '';
  const rest = lines.slice(at);
  if (indent === '') return rest.join('\n');
  return rest.map((line) => (line.startsWith(indent) ? line.slice(indent.length) : line)).join('\n');
}

const LAYOUTS: readonly Layout[] = [exim, sendmail, postfix, exchange, words];

/** [exim src/deliver.c, moan.c] */
function exim(mail: Mail, report: readonly string[]): Found | null {
  const failed = fieldOf(mail, 'x-failed-recipients');
  const opening = report.findIndex((line) =>
    /^This message was created automatically by (?:the )?mail delivery (?:software|system)/i.test(line),
  );
  if (failed === null && opening < 0) return null;
  const text = report.slice(0, 60).join(' ');
  const delay =
    /has not (?:yet )?been delivered|delivery attempts will continue|\bdelayed\b/i.test(text) &&
    failed === null;
  const recipients: ExplainedRecipient[] = [];
  for (let i = Math.max(0, opening); i < report.length; i += 1) {
    // "  user@example.net", its reason indented deeper; "(generated from alias@example.org)" may stand between.
    const found = /^ {2,4}(\S{1,320})$/.exec(report[i]) ?? /^ {2}(\S{1,320}@\S{1,255}) ?\(?/.exec(report[i]);
    if (found === null || !ADDRESS.test(found[1])) continue;
    const reason: string[] = [];
    let original: string | null = null;
    while (i + 1 < report.length && /^ {4,}\S/.test(report[i + 1])) {
      i += 1;
      const generated = /^\(generated from (\S{1,320})\)$/.exec(report[i].trim());
      if (generated !== null) original = generated[1];
      else reason.push(report[i].trim());
    }
    const diagnostic = reason.join(' ');
    recipients.push(
      recipientOf({
        recipient: found[1],
        originalRecipient: original,
        outcome: delay ? 'delayed' : /retry timeout exceeded/i.test(diagnostic) ? 'expired' : 'failed',
        diagnostic,
        remoteMta: /\bhost (\S{1,255}) \[/.exec(diagnostic)?.[1] ?? null,
      }),
    );
  }
  if (recipients.length === 0 && failed !== null) {
    for (const address of failed.split(',').slice(0, MOST_RECIPIENTS)) {
      recipients.push(recipientOf({ recipient: address.trim(), outcome: 'failed' }));
    }
  }
  return {
    type: delay ? 'delay' : 'failure',
    shape: 'exim',
    certainty: opening >= 0 ? 'certain' : 'likely',
    host: /\bby (\S{1,255}) with local \(Exim/.exec(fieldOf(mail, 'received') ?? '')?.[1] ?? null,
    queueId: /identifier is:\s{1,40}(\S{1,40})/.exec(text)?.[1] ?? null,
    recipients,
  };
}

/** Reports of sendmail before 8.7, and of what descends from it [savemail.c errbody]. */
function sendmail(_mail: Mail, report: readonly string[]): Found | null {
  const heading = report.findIndex((line) =>
    /^\s*-{3,} ?(?:The following addresses had|Transcript of session follows)/.test(line),
  );
  if (heading < 0) return null;
  const text = report.join('\n');
  const recipients: ExplainedRecipient[] = [];
  let outcome: RecipientOutcome = 'failed';
  for (const line of report) {
    const section = /^\s*-{3,} ?The following addresses had (.{1,60}?) -{3,}/.exec(line);
    if (section !== null) {
      outcome = /success/.test(section[1])
        ? 'delivered'
        : /transient|warning/.test(section[1])
          ? 'delayed'
          : 'failed';
    }
    if (/^\s*-{3,} ?Transcript/.test(line)) break;
    const address = /^(?:"\|.{0,200}"|<[^<>\s]{1,320}>|\S{1,200}@\S{1,255})/.exec(line);
    const reason = /^\s{2,}\(reason: (.{0,1000})\)$/.exec(line);
    const last = recipients.at(-1);
    if (reason !== null && last !== undefined) {
      recipients[recipients.length - 1] = recipientOf({ ...factsOf(last), diagnostic: reason[1] });
    } else if (address !== null && !/^\s/.test(line)) {
      recipients.push(recipientOf({ recipient: unwrapAddress(address[0]), outcome }));
    }
  }
  for (const found of transcriptRecipients(text)) {
    const known = recipients.findIndex((r) => r.recipient === found.recipient);
    if (known < 0) recipients.push(found);
    else if (recipients[known].diagnostic === null) {
      recipients[known] = recipientOf({ ...factsOf(found), outcome: recipients[known].outcome });
    }
  }
  const warning =
    /WARNING MESSAGE ONLY|still undelivered after|could not be delivered .{0,40}will keep trying/i.test(text);
  return {
    type: warning ? 'delay' : (typeOf(recipients) ?? 'failure'),
    shape: 'sendmail',
    certainty: 'certain',
    host: null,
    recipients: warning ? recipients.map((r) => ({ ...r, outcome: 'delayed' as const })) : recipients,
  };
}

function factsOf(r: ExplainedRecipient) {
  return {
    recipient: r.recipient,
    originalRecipient: r.original_recipient,
    outcome: r.outcome,
    status: r.status,
    diagnostic: r.diagnostic,
    remoteMta: r.remote_mta,
  };
}

/**
 * Recipients of sendmail's transcript: `550 5.1.1 <a@b>... User unknown`, `<a@b>... Deferred: ...`,
 * `\fritz... Successfully delivered`.
 */
export function transcriptRecipients(text: string): ExplainedRecipient[] {
  const recipients = new Map<string, ExplainedRecipient>();
  const start = text.indexOf('Transcript of session follows');
  if (start < 0) return [];
  for (const line of text.slice(start).split('\n', MOST_LINES).slice(1)) {
    const found =
      /^(?:([245]\d\d) )?(?:([245]\.\d{1,3}\.\d{1,3}) )?(<[^<>\s]{1,320}>|\\?[^\s<>]{1,320}?)\.\.\. (.{1,1000})$/.exec(
        line,
      );
    if (found === null || /^(?:while|connecting)\b/.test(found[3])) continue;
    const [, code, status, name, words] = found;
    const recipient = unwrapAddress(name.startsWith('\\') ? name.slice(1) : name);
    const outcome = outcomeInWords(code, words);
    if (outcome === null) continue;
    if (recipients.size < MOST_RECIPIENTS && !recipients.has(recipient)) {
      recipients.set(
        recipient,
        recipientOf({ recipient, outcome, status: status ?? null, diagnostic: line.trim() }),
      );
    }
  }
  return [...recipients.values()];
}

function outcomeInWords(code: string | undefined, words: string): RecipientOutcome | null {
  if (/^Successfully delivered/i.test(words)) return 'delivered';
  if (/^relayed;/i.test(words)) return 'relayed';
  if (/^expanded /i.test(words)) return 'expanded';
  if (/^Deferred/i.test(words)) return 'delayed';
  if (code?.startsWith('5')) return 'failed';
  return code?.startsWith('4') ? 'delayed' : null;
}

/** Postfix without a status part: as somebody's mail program saved it, or forwarded it [bounce/bounce_notify_util.c]. */
function postfix(_mail: Mail, report: readonly string[]): Found | null {
  const opening = report.find((line) =>
    /^\s{0,8}This is the (?:mail system|Postfix program) at host \S{1,255}\.$/.test(line),
  );
  if (opening === undefined) return null;
  const text = report.join('\n');
  const delay = /THIS IS A WARNING ONLY/.test(text);
  const recipients: ExplainedRecipient[] = [];
  for (let i = 0; i < report.length; i += 1) {
    const found = /^<([^<>\s]{1,320})>(?: \(expanded from <([^<>\s]{1,320})>\))?: (.{0,1000})$/.exec(
      report[i],
    );
    if (found === null) continue;
    let words = found[3];
    while (i + 1 < report.length && /^ {4}\S/.test(report[i + 1]) && words.length < 4000) {
      i += 1;
      words += ` ${report[i].trim()}`;
    }
    const diagnostic = / said: (.*?)(?: \(in reply to .{1,60}\))?$/.exec(words)?.[1] ?? words;
    recipients.push(
      recipientOf({
        recipient: found[1],
        originalRecipient: found[2] ?? null,
        outcome: delay
          ? 'delayed'
          : /^delivery via /.test(words)
            ? 'delivered'
            : failedOrExpired(statusIn(diagnostic)),
        diagnostic,
        remoteMta: /^host (\S{1,255}?)\[/.exec(words)?.[1] ?? null,
      }),
    );
  }
  return {
    type: typeOf(recipients) ?? (delay ? 'delay' : 'failure'),
    shape: 'postfix',
    certainty: 'certain',
    host: /at host (\S{1,255})\.$/.exec(opening)?.[1] ?? null,
    recipients,
  };
}

function statusIn(words: string): string | null {
  return /\b([245]\.\d{1,3}\.\d{1,3})\b/.exec(words)?.[1] ?? null;
}

/** Exchange and Outlook, without their report part. */
function exchange(_mail: Mail, report: readonly string[]): Found | null {
  const opening = report.findIndex((line) =>
    /^\s*(?:Your message did not reach some or all of the intended recipients|Delivery has failed to these recipients or (?:groups|distribution lists)|The following recipient(?:s|\(s\))? (?:could not|cannot) be reached)/i.test(
      line,
    ),
  );
  if (opening < 0) return null;
  const delay = report.some((line) => /Delivery is delayed to these recipients/i.test(line));
  const recipients: ExplainedRecipient[] = [];
  for (let i = opening; i < report.length && i < opening + 400; i += 1) {
    if (/^Generating server:|^Diagnostic information/i.test(report[i])) break;
    const address = ADDRESS.exec(report[i])?.[0];
    if (address === undefined || recipients.some((r) => r.recipient === address)) continue;
    const diagnostic = report
      .slice(i + 1, i + 8)
      .filter((line) => !ADDRESS.test(line) || /\d\.\d\.\d/.test(line))
      .join(' ');
    recipients.push(
      recipientOf({
        recipient: address,
        outcome: delay ? 'delayed' : 'failed',
        status: statusIn(diagnostic),
        diagnostic,
      }),
    );
  }
  const server = report
    .map((line) => /^Generating server: (\S{1,255})/i.exec(line)?.[1])
    .find((host) => host !== undefined);
  return {
    type: delay ? 'delay' : 'failure',
    shape: 'exchange',
    certainty: 'certain',
    host: server ?? null,
    recipients,
  };
}

const FROM_MTA =
  /(?:mailer-daemon|post_?master|mail delivery (?:sub)?system|system administrator|mmdf|mdaemon)\b/i;
/** Writes hardly anything but bounces, whatever their subject. */
const ONLY_BOUNCES = /\bmailer-daemon@/i;
const SUBJECT =
  /undeliver|returned mail|return(?:ed)? to sender|delivery (?:status|failure|problem|has failed|report|error|notification)|delivery.{0,20}(?:failed|delayed)|failure notice|(?:mail|message).{0,30}(?:could not be|not) deliver|non-?deliver|mail (?:failure|failed|system error|error)|error (?:during delivery|sending)|could not be delivered|not (?:yet )?been delivered|fail(?:ed|ure) (?:mail|delivery)|delivery warning|processing error|user unknown|nicht zustellbar|unzustellbar|non remis|no entregado/i;
const DELAY =
  /\bdelayed\b|delay notice|still trying|will (?:keep|continue) (?:trying|to try)|warning message only|not yet been delivered|noch nicht zugestellt/i;
const FAILED =
  /could ?n[o']t be delivered|(?:was|were|been) (?:un)?able to (?:be )?deliver|undeliverable|permanent(?:ly)? (?:fatal )?(?:error|fail)|fail(?:ed|ure)|rejected|refused|unknown|does not exist|not deliver|bounced|\b5\d\d[ -]/i;

/** None of the layouts: a mail from an MTA, with a subject or a text that says that delivery failed. */
function words(mail: Mail, report: readonly string[]): Found | null {
  const nullSender = /^<>$/.test((fieldOf(mail, 'return-path') ?? '').trim());
  const from = fieldOf(mail, 'from') ?? '';
  const said = SUBJECT.test(mail.subject ?? '');
  const text = report.slice(0, 400).join('\n').slice(0, 40_000);
  const delay = DELAY.test(`${mail.subject ?? ''}\n${text}`) && !/permanent|given up/i.test(text);
  if (!FROM_MTA.test(from) && !nullSender) return null;
  const meant = said || mail.reportType === 'delivery-status' || ONLY_BOUNCES.test(from);
  if (!meant || !(said || delay || FAILED.test(text))) return null;
  const type: MailType = delay ? 'delay' : 'failure';
  return { type, shape: 'text', certainty: 'likely', recipients: [] };
}

/** Every address in the text but those of the mail's own header, with the words around it. */
function scanned(mail: Mail, report: readonly string[], delay: boolean): ExplainedRecipient[] {
  const own = new Set(
    [fieldOf(mail, 'from'), fieldOf(mail, 'to'), fieldOf(mail, 'reply-to')].map(
      (field) => ADDRESS.exec(field ?? '')?.[0].toLowerCase() ?? '',
    ),
  );
  const recipients = new Map<string, ExplainedRecipient>();
  const lines = report.slice(0, 400);
  for (let i = 0; i < lines.length && recipients.size < 50; i += 1) {
    const address = ADDRESS.exec(lines[i].slice(0, 1000))?.[0];
    if (address === undefined || own.has(address.toLowerCase()) || FROM_MTA.test(address)) continue;
    if (recipients.has(address)) continue;
    // The reason stands on the same line or below it, up to the next blank line after it.
    const below = lines.slice(i, i + 8);
    const blank = below.findIndex((line, n) => n > 1 && line.trim() === '');
    const diagnostic = below
      .slice(0, blank < 0 ? below.length : blank)
      .join(' ')
      .slice(0, 2000);
    const status = statusIn(diagnostic);
    const outcome = delay ? 'delayed' : failedOrExpired(status);
    recipients.set(address, recipientOf({ recipient: address, outcome, status, diagnostic }));
  }
  return [...recipients.values()];
}
