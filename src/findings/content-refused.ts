/**
 * The next hop refuses the content of what we accepted: its filter runs behind us, so its refusals become our DSNs.
 */
import { AND } from '../summary/counter.ts';
import { MOST_CONCERNED, number, type Rule, remediesFor, severityOf } from './rule.ts';

const TOPIC = 'content_refused_after_accept';

export const contentRefused: Rule = (facts) => {
  const { suspects } = facts.all;
  const { evidence } = suspects;
  const count = evidence.count(TOPIC);
  if (count === 0) return null;
  return {
    id: 'content_refused',
    severity: severityOf(count, facts),
    title: 'Next hops refuse the content of mail that we have already accepted',
    text: `${number(count, 'message')} from outside, refused by the next hop after the data had been sent: a filter behind this host.`,
    why: 'What a spam filter refuses has forged senders more often than not, and the refusal makes this host send a DSN to them.',
    counts: { messages: count },
    concerns: suspects.concernedBy(TOPIC, MOST_CONCERNED).map(({ key, count: n }) => ({
      key: key.replace(AND, ' via '),
      count: n,
    })),
    examples: evidence.examples(TOPIC),
    undecided: null,
    remedies: remediesFor(evidence.mtas(TOPIC), [
      {
        mta: 'postfix',
        text: 'Filter before the queue, so that a refusal reaches the client: by a milter, or by a proxy filter for port 25.',
        file: 'main.cf',
        lines: ['smtpd_milters = inet:127.0.0.1:11332', 'milter_default_action = tempfail'],
        source: 'MILTER_README; SMTPD_PROXY_README',
      },
      {
        mta: 'sendmail',
        text: 'Filter during SMTP by a milter; F=T answers 4xx while the filter is away.',
        file: 'sendmail.mc',
        lines: ["INPUT_MAIL_FILTER(`filter', `S=inet:11332@localhost, F=T')dnl"],
        source: 'cf/README, ADDING NEW MAIL FILTERS',
      },
      {
        mta: 'qmail',
        text: 'Run the filter behind qmail-smtpd by the QMAILQUEUE patch, with a wrapper that refuses (exit 31) at the end of DATA.',
        file: '/var/qmail/supervise/qmail-smtpd/run',
        lines: ['export QMAILQUEUE=/var/qmail/bin/simscan'],
        source: "Bruce Guenter's QMAILQUEUE patch; qmail-queue(8), exit codes",
      },
    ]),
  };
};
