/**
 * A chain as a short block for people: the message, a line per recipient, a line per DSN, marks.
 *
 * Owns the wording of a chain. Every text of the log goes through `printable`.
 */
import type { Chain, ChainDsn, ChainRecipient } from '../chains/chain.ts';
import { printable } from './escape.ts';
import { counted, localTime, zoneName } from './figures.ts';
import { styleFor } from './style.ts';

export interface ChainTextOptions {
  readonly color: boolean;
  /** IANA name, "local" or "+02:00" for the times shown; UTC when there is none. */
  readonly zone?: string;
}

const INDENT = '  ';
/** Deeper than bounces of bounces go; a log that says otherwise must not push the text off the page. */
const DEEPEST = 5;

/** Ends in an empty line, so that blocks stand apart. */
export function chainText(chain: Chain, options: ChainTextOptions): string {
  const style = styleFor(options.color);
  const lines = [`${style.strong(printable(chain.queue_id))}  ${printable(headline(chain, options.zone))}`];
  const say = (depth: number, text: string, dress = (plain: string): string => plain): void => {
    lines.push(INDENT.repeat(depth) + dress(printable(text)));
  };
  say(1, envelope(chain));
  for (const recipient of chain.recipients) {
    say(1, recipientLine(recipient));
    if (recipient.reply !== null) say(3, recipient.reply, style.faint);
  }
  const depths = new Map<string, number>();
  for (const dsn of chain.dsns) {
    const depth = Math.min(DEEPEST, (depths.get(dsn.parent_queue_id) ?? 0) + 1);
    if (dsn.queue_id !== null) depths.set(dsn.queue_id, depth);
    say(depth + 1, dsnLine(dsn));
    if (dsn.reason !== null) say(depth + 3, dsn.reason, style.faint);
  }
  if (chain.suppressed !== null) say(1, `DSN suppressed: ${chain.suppressed.cause}`, style.alarm);
  if (chain.suspect !== null) {
    const { verdict, score, reasons } = chain.suspect;
    say(1, `suspect: ${verdict} backscatter, score ${score}: ${reasons.join(', ')}`, style.alarm);
  }
  return `${lines.join('\n')}\n\n`;
}

function headline(chain: Chain, zone: string | undefined): string {
  const words = [
    chain.first_seen === null
      ? 'at an unknown time'
      : `${localTime(chain.first_seen, zone)} ${zoneName(zone)}`,
    chain.host === null ? chain.mta : `${chain.mta} on ${chain.host}`,
  ];
  if (chain.qp !== undefined && chain.qp !== null) words.push(`qp ${chain.qp}`);
  if (chain.queue_ids.length > 1)
    words.push(`also ${chain.queue_ids.filter((id) => id !== chain.queue_id).join(' ')}`);
  if (chain.headless) words.push('beginning not in the log');
  if (!chain.ended) words.push('not ended');
  return words.join(', ');
}

function envelope(chain: Chain): string {
  const { kind, client_ip, client_name, auth_user } = chain.origin;
  const words = [chain.reverse_path === null ? 'from an unknown sender' : `from <${chain.reverse_path}>`];
  if (chain.size !== null) words.push(counted(chain.size, 'byte'));
  if (kind === 'smtp') {
    const ip = client_ip === null ? '' : `[${client_ip}]`;
    words.push(`by SMTP${client_name !== null || ip !== '' ? ` from ${client_name ?? ''}${ip}` : ''}`);
  } else if (kind === 'local') {
    words.push('submitted locally');
  }
  if (auth_user !== null) words.push(`as ${auth_user}`);
  if (chain.message_id !== null) words.push(`Message-ID ${chain.message_id}`);
  return words.join(', ');
}

function recipientLine(recipient: ChainRecipient): string {
  const { original_recipient: original, status, relay, attempts } = recipient;
  const words = [
    `to ${recipient.recipient === null ? 'an unnamed recipient' : `<${recipient.recipient}>`}${original === null || original === recipient.recipient ? '' : ` (orig. <${original}>)`}: ` +
      `${recipient.outcome}${status === null ? '' : ` ${status}`}`,
  ];
  if (relay !== null) words.push(`by ${relay}`);
  if (attempts > 1) words.push(counted(attempts, 'attempt'));
  return words.join(', ');
}

function dsnLine(dsn: ChainDsn): string {
  const id = dsn.queue_id === null ? '' : ` ${dsn.queue_id}`;
  const to = dsn.recipient === null ? '' : ` to <${dsn.recipient}>`;
  const status = dsn.status === null ? '' : ` ${dsn.status}`;
  return `DSN (${dsn.kind.replace('_', ' ')})${id}${to}: ${dsn.outcome}${status}`;
}
