/**
 * The WIDE patch at work: marks seen, the ratio achieved, and headers that it passed over because its map lacks the
 * host. Seed document: "A Sendmail patch for suppressing DSN message based on SPF status".
 */
import type { Remedy } from '../summary/report.ts';
import { number, type Rule } from './rule.ts';

const MAP: Remedy = {
  mta: 'sendmail',
  text: 'Add the host that stands first in the Authentication-Results header (the one that runs the SPF filter), then: makemap hash /etc/mail/spf_recv_hosts < /etc/mail/spf_recv_hosts',
  file: '/etc/mail/spf_recv_hosts',
  lines: ['mxhost.example.com         enabled'],
  source: 'A Sendmail patch for suppressing DSN message based on SPF status, step 4',
};

export const wideSuppression: Rule = ({ all, report }) => {
  const { headerIgnored } = all.spf;
  const { marked } = all;
  if (marked === 0 && headerIgnored === 0) return null;
  const { suppressed, estimated, actual } = report.statistics;
  const ratio = ((suppressed / Math.max(1, estimated)) * 100).toFixed(1);
  const ignored =
    headerIgnored === 0
      ? ''
      : ` ${number(headerIgnored, 'SPF result was', 'SPF results were')} passed over: "SPF receiver host is not found" means that the map lacks the host.`;
  return {
    id: 'wide_suppression',
    severity: headerIgnored > 0 ? 'warning' : 'info',
    title:
      headerIgnored > 0
        ? 'SPF suppression passes over headers of hosts that its map lacks'
        : 'DSNs are suppressed by SPF',
    text:
      `${number(marked, 'message')} marked, ${suppressed} of ${number(estimated, 'due DSN')} suppressed (${ratio} %), ` +
      `${actual} sent.${ignored}`,
    why:
      headerIgnored > 0
        ? 'A header that is not trusted suppresses nothing, although the check was made.'
        : 'The mark is logged for delivered messages, too; only failed ones count as suppressed.',
    counts: { marked, suppressed, estimated, actual, header_ignored: headerIgnored },
    concerns: [],
    examples: all.suspects.evidence.examples('spf_marked'),
    undecided:
      headerIgnored > 0
        ? 'The log does not name the host that the map lacks: look into a header of such a message.'
        : null,
    remedies: headerIgnored > 0 ? [MAP] : [],
  };
};
