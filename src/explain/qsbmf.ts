/**
 * qmail-send's bounce message format, QSBMF [https://cr.yp.to/proto/qsbmf.txt; qmail-send.c injectbounce, addbounce].
 *
 *   Hi. This is the qmail-send program at HOST.
 *   ...
 *   <recipient>:
 *   diagnostic
 *
 *   --- Below this line is a copy of the message.
 *
 * Owns its paragraphs and qmail-remote's words. No multipart, no fields: the text is the report.
 */
import type { ExplainedRecipient, RecipientOutcome } from './explanation.ts';
import type { Mail } from './mail.ts';
import { MOST_RECIPIENTS, NOTHING_SAID, type Reading, recipientOf, typeOf } from './reading.ts';

const OPENING = /^Hi\. This is (?:the )?(.{1,80}?) (?:program )?at (\S{1,255}?)\.?$/;

/** null if the text does not open as QSBMF does. */
export function readQsbmf(mail: Mail): Reading | null {
  const text = mail.text.trimStart();
  const opening = OPENING.exec(text.slice(0, 400).split('\n')[0].trimEnd());
  if (opening === null) return null;
  const { intro, reports, leftOut, rest } = take(text);
  const warning = isWarning(intro);
  const recipients = reports.map(({ address, words }) => explained(address, words.join('\n'), warning));
  const bounced = /the bounce bounced!/.test(intro);
  return {
    type: bounced ? 'double_bounce' : (typeOf(recipients) ?? (warning ? 'delay' : 'failure')),
    shape: 'qsbmf',
    certainty: recipients.length > 0 || rest !== null ? 'certain' : 'likely',
    host: opening[2],
    recipients,
    leftOut,
    returned: rest,
    original: { ...NOTHING_SAID, reversePath: bounced ? '' : null },
  };
}

interface Taken {
  readonly intro: string;
  readonly reports: { readonly address: string; readonly words: string[] }[];
  readonly leftOut: number;
  /** What follows the break: a paragraph that begins with a dash. */
  readonly rest: string | null;
}

/** Line by line: relays in between add blanks to the ends of lines, or lose empty ones. */
function take(text: string): Taken {
  const intro: string[] = [];
  const reports: Taken['reports'] = [];
  let leftOut = 0;
  let words: string[] | null = intro;
  let afterBlank = false;
  let next = 0;
  for (let at = 0; at < text.length; at = next + 1) {
    const newline = text.indexOf('\n', at);
    next = newline < 0 ? text.length : newline;
    const line = text.slice(at, next).trimEnd();
    if (afterBlank && line.startsWith('-')) {
      return { intro: intro.join('\n'), reports, leftOut, rest: text.slice(next + 1).trimStart() };
    }
    const address = /^<(.{0,1000})>:$/.exec(line)?.[1];
    if (line === '') words = null;
    else if (address === undefined) words?.push(line);
    else if (reports.length < MOST_RECIPIENTS) reports.push({ address, words: (words = []) });
    else {
      words = null;
      leftOut += 1;
    }
    afterBlank = line === '';
  }
  return { intro: intro.join('\n'), reports, leftOut, rest: null };
}

/** Patches (qmail-ldap's delayed-notice, bouncesaying) warn in the same format. */
function isWarning(intro: string): boolean {
  return /warning message only|(?:still|yet) (?:been )?(?:un)?able to deliver|will (?:keep|be) (?:on )?(?:trying|retried)/i.test(
    intro,
  );
}

const GIVEN_UP = /I'm not going to try again/;

function explained(address: string, words: string, warning: boolean): ExplainedRecipient {
  const outcome: RecipientOutcome = warning ? 'delayed' : GIVEN_UP.test(words) ? 'expired' : 'failed';
  return recipientOf({
    recipient: address,
    outcome,
    diagnostic: words.replace(/\n?I'm not going to try again;[^\n]*/, ''),
    remoteMta: remoteOf(words),
  });
}

/** [qmail-remote.c main, smtp, quit] */
function remoteOf(words: string): string | null {
  const found =
    /^(?:Connected to )?([0-9a-fA-F.:]{3,45})(?: does not like | failed after | but | said)/m.exec(words) ??
    /^(?:Giving up on|Connected to) ([0-9a-fA-F.:]{3,45}?)\.?(?:$| )/m.exec(words);
  return found?.[1] ?? null;
}
