/**
 * DSNs that cannot be delivered: double and triple bounces, senders that are dead, a queue that fills with them.
 */
import { Counter } from '../summary/counter.ts';
import { concerns, number, type Rule, remediesFor, severityOf } from './rule.ts';

const FEW = 10;
const TOPICS = ['dsn_failed', 'dsn_waits'];

export const undeliverableDsns: Rule = (facts) => {
  const { traffic, dsn, dsnOutcomes } = facts.all;
  const failed = dsnOutcomes.failed + dsnOutcomes.expired;
  const waiting = dsnOutcomes.deferred;
  const chains = traffic.evidence.count('dsn_failed') + traffic.evidence.count('dsn_waits');
  if (chains === 0) return null;
  const domains = new Counter();
  domains.merge(traffic.undeliverable);
  domains.merge(traffic.waiting);
  return {
    id: 'undeliverable_dsns',
    // Some fail everywhere: a mistyped sender, a mailbox that is full.
    severity: failed + waiting < FEW ? 'info' : severityOf(failed + waiting, facts),
    title: 'DSNs cannot be delivered',
    text:
      `${number(failed, 'DSN')} failed, ${waiting} waited in the queue at the end of the log; ` +
      `${number(dsn.double_bounce, 'DSN')} reported on undeliverable DSNs.`,
    why:
      'A sender that takes no DSN did not send the message. Such DSNs stay in the queue for days, are tried again and again, ' +
      'and end with the postmaster.',
    counts: { failed, waiting, double_bounces: dsn.double_bounce },
    concerns: concerns(domains),
    examples: traffic.evidence.examples(...TOPICS),
    undecided: waiting === 0 ? null : 'What waits may still be delivered: give the following log, too.',
    remedies: remediesFor(
      TOPICS.flatMap((topic) => traffic.evidence.mtas(topic)),
      [
        {
          mta: 'postfix',
          text: 'Give bounces less time in the queue than mail. The cure is to make fewer: see the other findings.',
          file: 'main.cf',
          lines: ['bounce_queue_lifetime = 1d'],
          source: 'postconf(5), bounce_queue_lifetime',
        },
        {
          mta: 'sendmail',
          text: 'Give DSNs less time in the queue than mail, and drop what cannot be returned either (an empty address).',
          file: 'sendmail.mc',
          lines: ["define(`confTO_QUEUERETURN_DSN', `1d')dnl", "define(`confDOUBLE_BOUNCE_ADDRESS', `')dnl"],
          source: 'cf/README, confTO_QUEUERETURN_DSN and confDOUBLE_BOUNCE_ADDRESS',
        },
        {
          mta: 'qmail',
          text: 'Double bounces go to the postmaster; an empty first line discards them.',
          file: '/var/qmail/control/doublebounceto',
          lines: [''],
          source: 'qmail-send(8), doublebounceto',
        },
      ],
    ),
  };
};
