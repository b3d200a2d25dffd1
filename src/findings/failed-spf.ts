/**
 * SPF failed, and a DSN went out all the same: what WIDE's patch suppresses. Seed document: "A Sendmail patch for
 * suppressing DSN message based on SPF status".
 */
import { MOST_CONCERNED, number, type Rule, remediesFor, severityOf } from './rule.ts';

export const failedSpf: Rule = (facts) => {
  const { spf, suspects } = facts.all;
  const count = spf.wouldSuppressMessages;
  if (count === 0) return null;
  const { actual } = facts.report.statistics;
  const part = ((spf.wouldSuppressDsns / Math.max(1, actual)) * 100).toFixed(1);
  const topics = ['spf_fail', 'spf_softfail'];
  return {
    id: 'failed_spf',
    severity: severityOf(count, facts),
    title: 'DSNs go to senders whose SPF check failed',
    text:
      `${number(count, 'message')} had SPF fail or softfail and still caused ${number(spf.wouldSuppressDsns, 'failure DSN')}: ` +
      `${part} % of all ${actual} would be suppressed if failed SPF suppressed them.`,
    why: 'The domain itself says that the client does not send its mail: the reverse-path is forged, and the DSN hits somebody else.',
    counts: { messages: count, dsns: spf.wouldSuppressDsns, actual },
    concerns: topics
      .flatMap((topic) =>
        suspects
          .concernedBy(topic, MOST_CONCERNED)
          .map(({ key, count: n }) => ({ key: `${key} (${topic})`, count: n })),
      )
      .sort((a, b) => b.count - a.count)
      .slice(0, MOST_CONCERNED),
    examples: suspects.evidence.examples(...topics),
    undecided: null,
    remedies: remediesFor(
      topics.flatMap((topic) => suspects.evidence.mtas(topic)),
      [
        {
          mta: 'postfix',
          text: 'Refuse on fail instead of noting it: then no DSN is due.',
          file: '/etc/postfix-policyd-spf-python/policyd-spf.conf',
          lines: ['Mail_From_reject = Fail', 'HELO_reject = Fail'],
          source: 'policyd-spf.conf(5)',
        },
        {
          mta: 'sendmail',
          text: "Build with -D_FFR_DSN_SUPR_WITH_SPF (WIDE's patch) and name the hosts whose Authentication-Results are trusted; or let the milter refuse on fail.",
          file: 'sendmail.cf',
          lines: [
            'O SPFRecieverHostMap=spf_recv_hosts_map',
            'Kspf_recv_hosts_map hash -T<TMPF> /etc/mail/spf_recv_hosts',
          ],
          source: 'A Sendmail patch for suppressing DSN message based on SPF status, step 4',
        },
      ],
    ),
  };
};
