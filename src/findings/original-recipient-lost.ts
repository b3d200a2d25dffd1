/**
 * The original recipient is lost: an alias or extension was rewritten before a delivery agent got the address. Seed
 * document: "Pitfalls when running a mail server", 4.
 */
import { concerns, DOVECOT_ARGUMENTS, number, type Rule } from './rule.ts';

const TOPIC = 'original_lost';

export const originalRecipientLost: Rule = ({ all }) => {
  const { traffic } = all;
  const count = traffic.evidence.count(TOPIC);
  if (count === 0) return null;
  return {
    id: 'original_recipient_lost',
    severity: 'info',
    title: 'The address that was written to may not reach the delivery agent',
    text: `${number(count, 'message')} went to a pipe under another address than the one they were sent to (orig_to=).`,
    why: 'Sieve filters of your users cannot tell an alias or an extension (joe+list@) unless the agent is told the original recipient.',
    counts: { messages: count },
    concerns: concerns(traffic.rewritten),
    examples: traffic.evidence.examples(TOPIC),
    undecided: "The log does not show the agent's arguments: if -a is among them already, all is well.",
    remedies: [
      {
        mta: 'postfix',
        text: 'Give the original recipient with -a.',
        file: 'master.cf',
        lines: ['dovecot unix - n n - - pipe', DOVECOT_ARGUMENTS],
        source: 'Pitfalls when running a mail server, 4; pipe(8)',
      },
    ],
  };
};
