/**
 * Delay warnings go to outsiders.
 */
import { MOST_CONCERNED, number, type Rule, remediesFor } from './rule.ts';

const TOPIC = 'delay_warning';

export const delayWarnings: Rule = ({ all }) => {
  const { suspects } = all;
  const { evidence } = suspects;
  const count = evidence.count(TOPIC);
  if (count === 0) return null;
  return {
    id: 'delay_warnings',
    severity: count >= 100 ? 'warning' : 'info',
    title: 'Delay warnings go to strangers',
    text: `${number(count, 'message')} from outside caused a warning that delivery takes long.`,
    why: 'A warning is a DSN to a sender that may be forged, sent before anything has failed. Your own users need it, strangers do not.',
    counts: { messages: count },
    concerns: suspects.concernedBy(TOPIC, MOST_CONCERNED),
    examples: evidence.examples(TOPIC),
    undecided: null,
    remedies: remediesFor(evidence.mtas(TOPIC), [
      {
        mta: 'postfix',
        text: 'No warnings (the default). Users who want them can ask for them with DSN (NOTIFY=DELAY) on submission only while it is set.',
        file: 'main.cf',
        lines: ['delay_warning_time = 0h'],
        source: 'postconf(5), delay_warning_time',
      },
      {
        mta: 'sendmail',
        text: 'No warnings: a time of 0 switches them off.',
        file: 'sendmail.mc',
        lines: ["define(`confTO_QUEUEWARN', `0')dnl"],
        source: 'op.me, Timeout.queuewarn; envelope.c, dropenvelope',
      },
    ]),
  };
};
