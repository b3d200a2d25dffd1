/**
 * Delivery status notifications as RFC 3464 has them: multipart/report with a message/delivery-status part.
 *
 * Owns what its fields mean together. The fields themselves: dsn/delivery-report.ts.
 */
import { parseDeliveryReport, type ReportedFields } from '../dsn/delivery-report.ts';
import type { ExplainedRecipient, MailType, RecipientOutcome } from './explanation.ts';
import { fieldOf, type Mail } from './mail.ts';
import { failedOrExpired, type Reading, recipientOf, typeOf } from './reading.ts';
import { transcriptRecipients } from './wording.ts';

/** null if the mail has no delivery status. */
export function readRfc3464(mail: Mail): Reading | null {
  if (mail.deliveryStatus === null) return null;
  const report = parseDeliveryReport(mail.deliveryStatus);
  let recipients: ExplainedRecipient[] = report.recipients.map(explained);
  // sendmail names no recipient in a receipt for an alias [savemail.c errbody]; its transcript does.
  const silent = recipients.length === 0 || recipients.some((r) => r.diagnostic === null);
  const spoken = silent ? transcriptRecipients(mail.text) : [];
  if (report.recipients.length === 0) recipients = spoken;
  else if (spoken.length > 0) recipients = recipients.map((r) => withWords(r, spoken));
  return {
    type: typeOf(recipients) ?? typeByHeader(mail),
    shape: 'rfc3464',
    certainty: 'certain',
    host: report.reportingMta,
    recipients,
    leftOut: report.leftOut,
    returned: null,
    original: {
      queueId: report.queueId,
      reversePath: report.sender,
      envelopeId: report.originalEnvelopeId,
      arrivalDate: report.arrivalDate,
    },
  };
}

/** sendmail gives no Diagnostic-Code where no server replied; its transcript says what happened. */
function withWords(recipient: ExplainedRecipient, spoken: readonly ExplainedRecipient[]): ExplainedRecipient {
  if (recipient.diagnostic !== null || recipient.reason === null) return recipient;
  const words = spoken.find((r) => r.recipient === recipient.recipient);
  return words?.diagnostic ? { ...recipient, diagnostic: words.diagnostic, reason: words.reason } : recipient;
}

const ACTIONS: Readonly<Record<string, RecipientOutcome>> = {
  delayed: 'delayed',
  delivered: 'delivered',
  relayed: 'relayed',
  expanded: 'expanded',
  // Postfix, for `sendmail -bv` [global/dsn_util.h, bounce/bounce_notify_verbose.c].
  deliverable: 'deliverable',
  undeliverable: 'undeliverable',
};

function explained(fields: ReportedFields): ExplainedRecipient {
  return recipientOf({
    recipient: fields.finalRecipient,
    originalRecipient: fields.originalRecipient,
    outcome: outcomeOf(fields),
    status: fields.status,
    diagnostic: fields.diagnosticCode,
    remoteMta: fields.remoteMta,
    lastAttempt: fields.lastAttemptDate,
    willRetryUntil: fields.willRetryUntil,
  });
}

function outcomeOf({ action, status }: ReportedFields): RecipientOutcome {
  if (action === 'failed') return failedOrExpired(status);
  const known = action === null ? undefined : ACTIONS[action];
  if (known !== undefined) return known;
  // The action is missing or odd: the status's class is all there is (RFC 3463 section 2).
  if (status === null) return 'unknown';
  return status.startsWith('2.') ? 'delivered' : status.startsWith('4.') ? 'delayed' : 'failed';
}

/** A report about nobody: sendmail says its kind in Auto-Submitted [savemail.c returntosender]. */
function typeByHeader(mail: Mail): MailType {
  const said = `${fieldOf(mail, 'auto-submitted') ?? ''} ${mail.subject ?? ''}`;
  if (/return[- ]receipt|success/i.test(said)) return 'success';
  return /warning|delay/i.test(said) ? 'delay' : 'failure';
}
