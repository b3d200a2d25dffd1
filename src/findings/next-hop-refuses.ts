/**
 * The next hop refuses recipients after we accepted them: an MX that relays to a store without knowing its users.
 * Seed document: "How to avoid Backscatter in Sendmail".
 */
import { AND } from '../summary/counter.ts';
import type { Remedy } from '../summary/report.ts';
import { list, number, type Rule, remediesFor, safeDomain, severityOf } from './rule.ts';

const TOPIC = 'accepted_then_refused_by_next_hop';
const MOST_DOMAINS = 5;

export const nextHopRefuses: Rule = (facts) => {
  const { suspects } = facts.all;
  const count = suspects.evidence.count(TOPIC);
  if (count === 0) return null;
  const pairs = suspects.concernedBy(TOPIC).map(({ key, count: n }) => {
    const [domain, hop] = key.split(AND);
    return { domain, hop, n };
  });
  const domains = [...new Set(pairs.map(({ domain }) => domain))].filter((domain) => domain !== '');
  const hops = [...new Set(pairs.map(({ hop }) => hop))];
  return {
    id: 'next_hop_refuses',
    severity: severityOf(count, facts),
    title: 'Next hops refuse recipients that we have already accepted',
    text:
      `${number(count, 'message')} from outside, accepted here and then refused by ${number(hops.length, 'next hop')}, ` +
      `for recipients in ${list(domains.slice(0, 3))}${domains.length > 3 ? ` and ${domains.length - 3} more domains` : ''}. ` +
      'Each made a DSN to a sender that anybody can forge.',
    why:
      'Whoever sends to made-up recipients of these domains makes this host mail third parties. Refused during SMTP, ' +
      'the same mail makes no DSN of ours.',
    counts: { messages: count, next_hops: hops.length, domains: domains.length },
    concerns: pairs
      .slice(0, MOST_DOMAINS)
      .map(({ domain, hop, n }) => ({ key: `${domain || '(no domain)'} via ${hop}`, count: n })),
    examples: suspects.evidence.examples(TOPIC),
    undecided: null,
    remedies: remediesFor(
      suspects.evidence.mtas(TOPIC),
      remedies(domains.slice(0, MOST_DOMAINS).map(safeDomain)),
    ),
  };
};

function remedies(domains: readonly string[]): Remedy[] {
  const first = domains[0] ?? 'example.com';
  return [
    {
      mta: 'sendmail',
      text:
        'List every valid recipient in the access map and refuse the rest of the domain. Current ' +
        'versions call the second feature blocklist_recipients. Then: makemap hash /etc/mail/access < /etc/mail/access',
      file: 'sendmail.mc',
      lines: [
        "FEATURE(`access_db', `hash -T<TMPF> /etc/mail/access')dnl",
        "FEATURE(`blacklist_recipients')dnl",
      ],
      source:
        'How to avoid Backscatter in Sendmail, steps 1 and 3; cf/README, ANTI-SPAM CONFIGURATION CONTROL',
    },
    {
      mta: 'sendmail',
      text: 'One line per valid address, and one per domain for all others.',
      file: '/etc/mail/access',
      lines: [
        `To:john.doe@${first}    RELAY`,
        `To:postmaster@${first}  RELAY`,
        ...domains.map((domain) => `To:${domain}    error:5.1.1:"550 User unknown"`),
      ],
      source: 'How to avoid Backscatter in Sendmail, step 3',
    },
    {
      mta: 'postfix',
      text:
        'Tell smtpd the valid recipients of the relayed domains (address and any value, one a line; then postmap). ' +
        `Lines such as: jane@${first} OK`,
      file: 'main.cf',
      lines: ['relay_recipient_maps = hash:/etc/postfix/relay_recipients'],
      source: 'postconf(5), relay_recipient_maps; STANDARD_CONFIGURATION_README',
    },
    {
      mta: 'postfix',
      text: 'Or, without a list, have smtpd ask the next hop before it accepts (answers are cached).',
      file: 'main.cf',
      lines: [
        'smtpd_recipient_restrictions = reject_unauth_destination, reject_unverified_recipient',
        'unverified_recipient_reject_code = 550',
      ],
      source: 'ADDRESS_VERIFICATION_README; postconf(5)',
    },
    {
      mta: 'qmail',
      text:
        'Patch qmail-smtpd with validrcptto.cdb: qmail accepts every recipient of rcpthosts by default. The file lists the ' +
        `valid addresses (jane@${first}), made into a cdb.`,
      file: '/var/qmail/supervise/qmail-smtpd/run',
      lines: ['export VALIDRCPTTO_CDB=/var/qmail/control/validrcptto.cdb'],
      source: "John Simpson's validrcptto.cdb patch; The problem of backscatter, part 13",
    },
  ];
}
