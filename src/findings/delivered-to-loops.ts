/**
 * Mail loops answered with bounces: a forged Delivered-To is enough. Seed document: "Pitfalls when running a mail
 * server", 1.
 */
import { DOVECOT_ARGUMENTS, MOST_CONCERNED, number, type Rule, remediesFor, severityOf } from './rule.ts';

const TOPIC = 'loop';

export const deliveredToLoops: Rule = (facts) => {
  const { suspects } = facts.all;
  const { evidence } = suspects;
  const count = evidence.count(TOPIC);
  if (count === 0) return null;
  const local = evidence.count('local_loop');
  return {
    id: 'delivered_to_loops',
    severity: severityOf(count, facts),
    title: 'Mail loops are answered with bounces to strangers',
    text:
      `${number(count, 'message')} from outside bounced as looping, ${local} of them in local delivery: ` +
      'a Delivered-To (or too many Received) header that the sender can write himself.',
    why: 'A message that carries Delivered-To with its own recipient passes every recipient check and is bounced all the same.',
    counts: { messages: count, local },
    concerns: suspects.concernedBy(TOPIC, MOST_CONCERNED),
    examples: evidence.examples(TOPIC),
    undecided:
      'The log shows no headers: a forwarding loop of your own looks the same. One recipient again and again is yours; many recipients once each are forged.',
    remedies: remediesFor(evidence.mtas(TOPIC), [
      {
        mta: 'postfix',
        text:
          'soft_bounce on the pipe to the delivery agent: the loop stays in the queue instead of bouncing. What it costs: every ' +
          'other permanent failure of that pipe (unknown user, over quota) is kept back, too, and somebody must delete the ' +
          'looping ones (postsuper -d) before maximal_queue_lifetime, or they bounce then.',
        file: 'master.cf',
        lines: ['dovecot unix - n n - - pipe', '  -o soft_bounce=yes', DOVECOT_ARGUMENTS],
        source: 'Pitfalls when running a mail server, 1; postconf(5), soft_bounce',
      },
      {
        mta: 'sendmail',
        text: 'Too many Received headers: the limit is 25 by default. It cannot be refused earlier; a higher limit only spares honest mail.',
        file: 'sendmail.mc',
        lines: ["define(`confMAX_HOP', `35')dnl"],
        source: 'cf/README, confMAX_HOP',
      },
      {
        mta: 'qmail',
        text: 'qmail-local always bounces a message with its own Delivered-To line. Only a check in front of the queue helps (QMAILQUEUE).',
        file: null,
        lines: [],
        source: 'qmail-local(8)',
      },
    ]),
  };
};
