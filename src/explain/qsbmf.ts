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
  if (!text.startsWith('Hi. This is ')) return null;
  const { paragraphs, rest } = paragraphsOf(text);
  const opening = OPENING.exec(paragraphs[0]?.split('\n')[0] ?? '');
  if (opening === null) return null;
  const intro = paragraphs[0];
  const recipients: ExplainedRecipient[] = [];
  let leftOut = 0;
  for (const paragraph of paragraphs.slice(1)) {
    const found = /^<([^\n]{0,1000})>:\n/.exec(paragraph);
    if (found === null) continue;
    if (recipients.length >= MOST_RECIPIENTS) leftOut += 1;
    else recipients.push(explained(found[1], paragraph.slice(found[0].length), isWarning(intro)));
  }
  const bounced = /the bounce bounced!/.test(intro);
  return {
    type: bounced ? 'double_bounce' : (typeOf(recipients) ?? (isWarning(intro) ? 'delay' : 'failure')),
    shape: 'qsbmf',
    certainty: recipients.length > 0 || rest !== null ? 'certain' : 'likely',
    host: opening[2],
    recipients,
    leftOut,
    returned: rest,
    original: { ...NOTHING_SAID, reversePath: bounced ? '' : null },
  };
}

/** Paragraphs up to the break, which begins with a dash, and what follows it. */
function paragraphsOf(text: string): { paragraphs: string[]; rest: string | null } {
  const paragraphs: string[] = [];
  let at = 0;
  while (at < text.length) {
    const blank = text.indexOf('\n\n', at);
    const end = blank < 0 ? text.length : blank;
    const paragraph = text.slice(at, end);
    at = end;
    while (text[at] === '\n') at += 1;
    if (paragraph.startsWith('-')) return { paragraphs, rest: text.slice(at) };
    paragraphs.push(paragraph);
  }
  return { paragraphs, rest: null };
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
