/**
 * Webmail or scripts hand mail in by the local command and so pass by every rule of submission. Seed document:
 * "Pitfalls when running a mail server", 5.
 */
import { AND, Counter } from '../summary/counter.ts';
import { WEB_UIDS } from '../summary/traffic.ts';
import { list, number, type Rule, remediesFor } from './rule.ts';

/** A uid with so many different reverse-paths is a program that mails for others. */
const MANY_SENDERS = 10;

export const localBypass: Rule = ({ all }) => {
  const { traffic } = all;
  /** Reverse-paths by uid. */
  const senders = new Counter();
  for (const [key] of traffic.uidSenders) senders.add(key.slice(0, key.indexOf(AND)));
  const uids = new Counter();
  for (const [uid, n] of traffic.uids) {
    const many = uid !== '0' && senders.countOf(uid) >= MANY_SENDERS;
    if (WEB_UIDS.has(Number(uid)) || many) uids.add(uid, n);
  }
  if (uids.size === 0) return null;
  const concerned = uids.sorted();
  const count = uids.total;
  const topics = concerned.map(([uid]) => `uid ${uid}`);
  const names = concerned.reduce((n, [uid]) => n + senders.countOf(uid), 0);
  return {
    id: 'local_bypass',
    severity: names >= MANY_SENDERS ? 'warning' : 'info',
    title: 'Web applications or scripts submit mail past the rules of SMTP submission',
    text:
      `${number(count, 'message')} under ${number(names, 'reverse-path')}, handed in by the local command by uid ` +
      `${list(concerned.slice(0, 3).map(([uid]) => uid))}.`,
    why:
      'sendmail(1) asks for no login: restrictions on senders, rate limits and DSN rules of submission do not apply, and a hole in ' +
      'a web page sends mail under any name.',
    counts: { messages: count, uids: concerned.length, reverse_paths: names },
    concerns: concerned.slice(0, 5).map(([uid, n]) => ({ key: `uid ${uid}`, count: n })),
    examples: traffic.evidence.examples(...topics.slice(0, 5)),
    undecided:
      'The log has numbers, not programs: getent passwd UID names the account. 33, 48, 70 and 80 are web servers on common systems.',
    remedies: [
      {
        mta: null,
        text: 'Let webmail log in to submission like any client (roundcube; since 1.6 smtp_host with tls://localhost:587).',
        file: 'roundcube config.inc.php',
        lines: ["$config['smtp_server'] = 'tls://localhost';", "$config['smtp_port'] = 587;"],
        source: 'Pitfalls when running a mail server, 5',
      },
      ...remediesFor(
        topics.flatMap((topic) => traffic.evidence.mtas(topic)),
        [
          {
            mta: 'postfix',
            text: "Then forbid the web server's account the local command.",
            file: 'main.cf',
            lines: ['authorized_submit_users = !www-data, static:all'],
            source: 'postconf(5), authorized_submit_users',
          },
        ],
      ),
    ],
  };
};
