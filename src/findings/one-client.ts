/**
 * One client is behind many suspects.
 */
import { familyOf } from '../suspects/inside.ts';
import { BURST } from '../suspects/repeats.ts';
import { concerns, number, type Rule, remediesFor } from './rule.ts';

const CRITICAL = 100;

export const oneClient: Rule = ({ all }) => {
  const { suspects } = all;
  const [client, count] = suspects.clients.most() ?? ['', 0];
  if (count < BURST) return null;
  const address = familyOf(client) === 0 ? '192.0.2.1' : client;
  const cidr = familyOf(address) === 6 ? `${address}/128` : `${address}/32`;
  const busy = suspects.clients.values().filter((n) => n >= BURST).length;
  return {
    id: 'one_client',
    severity: count >= CRITICAL ? 'critical' : 'warning',
    title: 'One client is behind many suspects',
    text: `${client} handed in ${number(count, 'message')} of ${suspects.suspects} suspects; ${number(busy, 'client')} ${busy === 1 ? 'has' : 'have'} ten or more.`,
    why: 'A burst from one client is a spam run or a dictionary attack. Refusing it stops the DSNs at once, until it comes from elsewhere.',
    counts: { most_by_one: count, clients: busy, suspects: suspects.suspects },
    concerns: concerns(suspects.clients),
    examples: suspects.byClient.examples(client),
    undecided: 'If the client is a forwarder or a mail filter of yours, it belongs inside: --inside NETWORK.',
    remedies: remediesFor(suspects.byClient.mtas(client), [
      {
        mta: 'postfix',
        text: 'Refuse the client, by address or network.',
        file: 'main.cf',
        lines: ['smtpd_client_restrictions = check_client_access cidr:/etc/postfix/clients.cidr'],
        source: 'postconf(5), check_client_access; cidr_table(5)',
      },
      {
        mta: 'postfix',
        text: 'The table; reload after a change.',
        file: '/etc/postfix/clients.cidr',
        lines: [`${cidr} REJECT`],
        source: 'cidr_table(5)',
      },
      {
        mta: 'sendmail',
        text: 'Refuse the client, then rebuild the map.',
        file: '/etc/mail/access',
        lines: [`Connect:${address.includes(':') ? `IPv6:${address}` : address}    REJECT`],
        source: 'cf/README, ANTI-SPAM CONFIGURATION CONTROL',
      },
      {
        mta: 'qmail',
        text: 'Refuse the client in tcpserver, then rebuild the cdb (tcprules).',
        file: '/etc/tcp.smtp',
        lines: [`${address}:deny`],
        source: 'tcprules(1)',
      },
    ]),
  };
};
