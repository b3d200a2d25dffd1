/**
 * Unknown users of this host are bounced instead of refused. Seed document: "The problem of backscatter, part 13".
 */
import { MOST_CONCERNED, number, type Rule, remediesFor, severityOf } from './rule.ts';

const TOPIC = 'unknown_local_user';

export const unknownLocalUsers: Rule = (facts) => {
  const { suspects } = facts.all;
  const { evidence } = suspects;
  const count = evidence.count(TOPIC);
  if (count === 0) return null;
  return {
    id: 'unknown_local_users',
    severity: severityOf(count, facts),
    title: 'Unknown local users are bounced instead of refused',
    text: `${number(count, 'message')} from outside, accepted for users that do not exist on this host and bounced afterwards.`,
    why:
      'A dictionary attack on the domain becomes as many DSNs to forged senders. A recipient that is unknown at RCPT TO costs ' +
      'one line of the log and makes no mail.',
    counts: { messages: count },
    concerns: suspects.concernedBy(TOPIC, MOST_CONCERNED),
    examples: evidence.examples(TOPIC),
    undecided: null,
    remedies: remediesFor(evidence.mtas(TOPIC), [
      {
        mta: 'qmail',
        text:
          'qmail-smtpd checks no recipient by default: it accepts, then bounces. Patch it with validrcptto.cdb (or chkuser ' +
          'with vpopmail); notqmail has the same need.',
        file: '/var/qmail/supervise/qmail-smtpd/run',
        lines: ['export VALIDRCPTTO_CDB=/var/qmail/control/validrcptto.cdb'],
        source: "The problem of backscatter, part 13; John Simpson's validrcptto.cdb patch",
      },
      {
        mta: 'postfix',
        text:
          'Let smtpd know the users: local_recipient_maps for $mydestination (never empty), virtual_mailbox_maps for ' +
          'virtual_mailbox_domains. With a catch-all or a pipe that knows them better, ask the delivery: reject_unverified_recipient.',
        file: 'main.cf',
        lines: [
          'local_recipient_maps = proxy:unix:passwd.byname $alias_maps',
          'virtual_mailbox_maps = hash:/etc/postfix/vmailbox',
          'smtpd_reject_unlisted_recipient = yes',
        ],
        source: 'LOCAL_RECIPIENT_README; VIRTUAL_README; postconf(5)',
      },
      {
        mta: 'sendmail',
        text:
          'sendmail refuses unknown local users at RCPT TO by itself; what bounces here was rewritten by aliases, ' +
          'virtusertable or .forward to users that are gone: mend those entries, and end the virtual domains with a refusal.',
        file: '/etc/mail/virtusertable',
        lines: ['@example.com    error:5.1.1:550 User unknown'],
        source: "cf/README, FEATURE(`virtusertable')",
      },
    ]),
  };
};
