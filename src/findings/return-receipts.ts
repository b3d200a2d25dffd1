/**
 * DSN success requests of strangers are honoured: return receipts. Seed documents: "Turning off DSN on sendmail to
 * prevent backscatter" and "Pitfalls when running a mail server", 2.
 */
import { MOST_CONCERNED, number, type Rule, remediesFor } from './rule.ts';

const TOPIC = 'return_receipt';
/** One is a test, so many are abuse. */
const ABUSE = 10;

export const returnReceipts: Rule = (facts) => {
  const { suspects } = facts.all;
  const { evidence } = suspects;
  const count = evidence.count(TOPIC);
  if (count === 0) return null;
  return {
    id: 'return_receipts',
    severity: count >= ABUSE ? 'critical' : 'warning',
    title: 'Return receipts are sent to strangers (NOTIFY=SUCCESS)',
    text: `${number(count, 'message')} from unauthenticated outside clients asked for a return receipt and got one.`,
    why:
      'NOTIFY=SUCCESS for a valid recipient sends mail to whatever address stands in MAIL FROM: backscatter without even a ' +
      'failure. Hardly anybody but spammers asks for it from outside.',
    counts: { messages: count },
    concerns: suspects.concernedBy(TOPIC, MOST_CONCERNED),
    examples: evidence.examples(TOPIC),
    undecided: 'A report keeps no recipients of delivered mail; dsnstat chains --suspect names them.',
    remedies: remediesFor(evidence.mtas(TOPIC), [
      {
        mta: 'sendmail',
        text:
          'noreceipts takes DSN out of EHLO and makes no receipts. goaway alone does not do it: since 8.10 it sets every flag ' +
          'except noreceipts and a few others.',
        file: 'sendmail.mc',
        lines: ["define(`confPRIVACY_FLAGS', `authwarnings,goaway,noreceipts')dnl"],
        source: 'Turning off DSN on sendmail to prevent backscatter; op.me, PrivacyOptions',
      },
      {
        mta: 'postfix',
        text:
          'Take DSN out of EHLO on port 25 only: in master.cf, not main.cf, so that submission (587, 465) keeps it for your ' +
          'own users.',
        file: 'master.cf',
        lines: ['smtp inet n - y - - smtpd', '  -o smtpd_discard_ehlo_keywords=silent-discard,dsn'],
        source:
          'Pitfalls when running a mail server, 2; postconf(5), smtpd_discard_ehlo_keywords; DSN_README',
      },
    ]),
  };
};
