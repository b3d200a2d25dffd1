/**
 * We are the victim: null-sender mail comes in from many hosts for recipients who sent nothing from here.
 */
import { AND, Counter } from '../summary/counter.ts';
import { concerns, number, type Rule, remediesFor } from './rule.ts';

/** So many different clients report to one recipient before it is a pattern. */
const LEAST_CLIENTS = 5;
const CRITICAL = 100;

export const weAreTheVictim: Rule = ({ all }) => {
  const { traffic } = all;
  const hosts = new Counter();
  const received: [recipient: string, messages: number][] = [];
  for (const [key, messages] of traffic.nullRecipients) {
    const recipient = recipientIn(key);
    if (traffic.senders.has(recipient)) continue;
    hosts.add(recipient);
    received.push([recipient, messages]);
  }
  const hit = hosts.sorted(Number.POSITIVE_INFINITY, { least: LEAST_CLIENTS });
  if (hit.length === 0) return null;
  const concerned = new Counter();
  for (const [recipient, messages] of received)
    if (hosts.countOf(recipient) >= LEAST_CLIENTS) concerned.add(recipient, messages);
  const count = concerned.total;
  return {
    id: 'we_are_the_victim',
    severity: count >= CRITICAL ? 'critical' : 'warning',
    title: "We get others' DSNs for mail that we did not send",
    text:
      `${number(count, 'message')} with a null reverse-path came from ${number(hit[0][1], 'client')} or fewer per recipient, for ` +
      `${number(hit.length, 'recipient')} who sent nothing from this host in this log.`,
    why: 'Somebody forges these addresses. The DSNs of the hosts that accept and bounce his mail come here.',
    counts: { messages: count, recipients: hit.length, most_clients: hit[0][1] },
    concerns: concerns(concerned),
    examples: traffic.byNullRecipient.examples(hit[0][0]),
    undecided:
      'Out-of-office replies use the null reverse-path as well, and mail that these users sent through other hosts, or before this ' +
      'log begins, cannot be seen here. The log has no content: a header check that logs the type of reports would tell.' +
      (traffic.senders.overflow > 0 ? ' There were more senders than are remembered.' : ''),
    remedies: remediesFor(traffic.byNullRecipient.mtas(hit[0][0]), [
      {
        mta: null,
        text: 'Publish an SPF policy that ends in -all (and DMARC), so that fewer hosts accept the forgeries.',
        file: 'DNS zone',
        lines: ['example.com. IN TXT "v=spf1 mx -all"'],
        source: 'RFC 7208',
      },
      {
        mta: 'postfix',
        text: 'Refuse reports about mail whose headers name a HELO or Message-ID that is not ours.',
        file: 'main.cf',
        lines: [
          'body_checks = pcre:/etc/postfix/backscatter_body',
          'header_checks = pcre:/etc/postfix/backscatter_header',
        ],
        source: 'BACKSCATTER_README, with the patterns for the two files',
      },
      {
        mta: 'sendmail',
        text: 'Sign the reverse-paths of outgoing mail (BATV) and refuse null-sender mail to unsigned addresses, by a milter.',
        file: 'sendmail.mc',
        lines: ["INPUT_MAIL_FILTER(`batv', `S=unix:/run/batv-filter.sock, F=T')dnl"],
        source: 'batv-filter(8); draft-levine-smtp-batv',
      },
    ]),
  };
};

function recipientIn(key: string): string {
  return key.slice(0, key.indexOf(AND));
}
