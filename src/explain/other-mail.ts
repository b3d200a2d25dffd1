/**
 * Mails that look like bounces and are none: notices of an MTA, automatic replies, receipts of readers, complaints.
 *
 * Owns their signs (RFC 3834, RFC 5965, RFC 8098). Asked after the bounces, except where a part says what it is.
 */
import type { MailType } from './explanation.ts';
import { fieldOf, type Mail } from './mail.ts';

/** By a report part that is not about delivery; null if there is none. */
export function reportOfOtherKind(mail: Mail): MailType | null {
  if (mail.deliveryStatus !== null) return null;
  if (mail.dispositionNotification !== null) return 'disposition_notification';
  return mail.feedbackReport === null ? null : 'feedback_report';
}

/** `Postfix SMTP server: errors from ...` [smtpd/smtpd_chat.c smtpd_chat_notify, smtp/smtp_chat.c smtp_chat_notify]. */
export function isSessionNotice(mail: Mail): boolean {
  return (
    /^\S{1,60} (?:SMTP|LMTP) (?:server|client): (?:errors from|no TLS|.{0,40} errors)/.test(
      mail.subject ?? '',
    ) && /^Transcript of session follows\.$/m.test(mail.text.slice(0, 2000))
  );
}

const AUTO_SUBJECT =
  /^(?:auto(?:mat\w{0,8})?[ :-]{0,3}(?:repl|response|antwort|reply)|(?:re: )?out of (?:the )?office|vacation|abwesen|r[ée]ponse automatique)/i;

export function isAutoReply(mail: Mail): boolean {
  // RFC 3834: auto-replied answers a mail, auto-generated answers none; MTAs use both.
  if (/^\s*auto-replied/i.test(fieldOf(mail, 'auto-submitted') ?? '')) return true;
  if (fieldOf(mail, 'x-autoreply') !== null || fieldOf(mail, 'x-autorespond') !== null) return true;
  return /^auto_reply/i.test(fieldOf(mail, 'precedence') ?? '') || AUTO_SUBJECT.test(mail.subject ?? '');
}
