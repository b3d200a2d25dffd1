/**
 * Authenticated users send under other people's reverse-paths. Seed document: "Pitfalls when running a mail server", 3.
 */
import { domainOf } from '../dsn/address.ts';
import { AND, Counter } from '../summary/counter.ts';
import { number, type Rule, remediesFor } from './rule.ts';

const TOPIC = 'foreign_sender';
/** One login with reverse-paths in so many domains is hardly one person. */
const SEVERAL = 5;

export const senderIdentity: Rule = ({ all }) => {
  const { traffic } = all;
  const count = traffic.evidence.count(TOPIC);
  if (count === 0) return null;
  const users = new Counter();
  const domains = new Map<string, Set<string>>();
  for (const [key, n] of traffic.foreignSenders) {
    const [user, sender] = key.split(AND);
    users.add(user, n);
    const known = domains.get(user) ?? new Set<string>();
    domains.set(user, known.add(domainOf(sender)));
  }
  const worst = Math.max(...[...domains.values()].map((known) => known.size));
  return {
    id: 'sender_identity',
    severity: worst >= SEVERAL ? 'warning' : 'info',
    title: 'Authenticated users send under reverse-paths that are not their logins',
    text:
      `${number(count, 'message')} of ${traffic.authenticated} with a known login had another reverse-path, from ` +
      `${number(users.size, 'login')}; one login used up to ${number(worst, 'domain')}.`,
    why: 'Whoever has one password can write in the name of everybody here, and a stolen one sends spam under any name.',
    counts: {
      messages: count,
      authenticated: traffic.authenticated,
      logins: users.size,
      most_domains: worst,
    },
    concerns: users.sorted(5).map(([user, n]) => ({
      key: `${user} as ${number(senders(traffic.foreignSenders, user), 'other')}`,
      count: n,
    })),
    examples: traffic.evidence.examples(TOPIC),
    undecided:
      'Which reverse-paths a login may use is not in the log: aliases and several addresses of one person count here, too.',
    remedies: remediesFor(traffic.evidence.mtas(TOPIC), [
      {
        mta: 'postfix',
        text: 'Map each reverse-path to the logins that may use it, and refuse the rest.',
        file: 'main.cf',
        lines: [
          'smtpd_sender_login_maps = hash:/etc/postfix/sender_login',
          'smtpd_sender_restrictions = reject_authenticated_sender_login_mismatch',
        ],
        source: 'Pitfalls when running a mail server, 3; postconf(5)',
      },
      {
        mta: 'sendmail',
        text: 'sendmail has no such check of its own: a milter that compares {auth_authen}, which it is given by default, with MAIL FROM does it.',
        file: null,
        lines: [],
        source: 'cf/README, confMILTER_MACROS_ENVFROM',
      },
    ]),
  };
};

function senders(pairs: Counter, user: string): number {
  let n = 0;
  for (const key of pairs.keys) if (key.startsWith(`${user}${AND}`)) n += 1;
  return n;
}
