/**
 * A probe for people: the session as it was, and what it means.
 *
 * Owns the wording. What the server said goes through `printable`.
 */
import type { ProbeResult } from '../probe/result.ts';
import { printable } from './escape.ts';
import { type Style, styleFor } from './style.ts';

const MARKS = { client: '>>> ', server: '<<< ', note: '--- ' } as const;

export function probeText(result: ProbeResult, options: { readonly color: boolean }): string {
  const style: Style = styleFor(options.color);
  const { host, port, address } = result;
  const where = address === null || address === host ? '' : ` [${address}]`;
  const lines = [style.heading(printable(`${host}${where}, port ${port}`))];
  for (const { from, text } of result.transcript) {
    const line = `  ${MARKS[from]}${printable(text)}`;
    lines.push(from === 'server' ? style.faint(line) : line);
  }
  lines.push('');
  if (result.error !== null) lines.push(style.alarm(printable(`Broken off: ${result.error}`)));
  for (const [label, text] of meaning(result)) lines.push(`${label.padEnd(20)}${printable(text)}`);
  return `${lines.join('\n')}\n`;
}

type Finding = readonly [label: string, text: string];

function* meaning(result: ProbeResult): IterableIterator<Finding> {
  const { tls, dsn, mail, recipient, unknown_recipient: unknown } = result;
  if (tls !== null) yield ['TLS', tlsText(tls)];
  yield ['DSN', DSN[dsn] + (result.esmtp === false ? ' (the server knows no EHLO)' : '') + beforeTls(result)];
  if (mail !== null && mail.ret_envid !== 'not_asked') yield ['RET and ENVID', RET_ENVID[mail.ret_envid]];
  if (mail !== null && mail.code !== 250) {
    yield [
      'MAIL FROM',
      `<${mail.reverse_path}> is refused: ${mail.code} ${mail.text}; --mail-from names another one`,
    ];
  }
  if (recipient !== null && recipient.result !== 'not_asked') {
    yield ['NOTIFY', notifyText(result)];
    yield ['Recipient', `<${recipient.address}>: ${recipientText(recipient.result, recipient.code)}`];
  }
  if (unknown !== null) yield ['Unknown recipients', unknownText(unknown.result, unknown.code)];
  if (dsn === 'announced' && recipient?.notify === 'accepted' && recipient.result === 'accepted') {
    yield ['Advice', ADVICE];
  }
}

const DSN: Readonly<Record<ProbeResult['dsn'], string>> = {
  announced: 'announced',
  not_announced: 'not announced',
  unknown: 'unknown: the server was not asked',
};

function tlsText({ how, protocol, problem }: NonNullable<ProbeResult['tls']>): string {
  const kind = how === 'implicit' ? 'from the first byte' : 'by STARTTLS';
  if (protocol === null) return `failed: ${problem}; asked without`;
  return `${protocol}, ${kind}${problem === null ? '' : `; the certificate does not hold: ${problem}`}`;
}

function beforeTls({ keywords_before_tls: before, dsn, tls }: ProbeResult): string {
  if (before === null || tls === null || tls.protocol === null || dsn === 'unknown') return '';
  const was = before.includes('DSN');
  if (was === (dsn === 'announced')) return '';
  return was ? '; before TLS it was' : '; before TLS it was not';
}

const RET_ENVID = {
  accepted: 'accepted',
  refused: 'refused, though DSN is announced',
  undecided: 'cannot tell: MAIL FROM is refused without them, too',
} as const;

function notifyText({ recipient, dsn }: ProbeResult): string {
  switch (recipient?.notify) {
    case 'accepted':
      return dsn === 'announced'
        ? 'accepted: who hands in mail can ask for a return receipt'
        : 'accepted, though not announced; such servers ignore it as a rule';
    case 'refused':
      return `refused: ${recipient.code} ${recipient.text}`;
    default:
      return 'cannot tell: the recipient is refused without it, too, or put off';
  }
}

function recipientText(result: string, code: number | null): string {
  switch (result) {
    case 'accepted':
      return 'accepted';
    case 'deferred':
      return `put off (${code}): greylisting or trouble; ask again later`;
    default:
      return `refused (${code})`;
  }
}

function unknownText(result: string, code: number | null): string {
  switch (result) {
    case 'accepted':
      return `accepted (${code}): bounces to forged senders lie ahead, unless this is a catch-all`;
    case 'refused':
      return `refused at RCPT (${code}), as it should be`;
    case 'deferred':
      return `put off (${code}): cannot tell; ask again later`;
    default:
      return `cannot tell: refused (${code}), but so is the recipient that was named`;
  }
}

const ADVICE =
  'on port 25, offer no DSN to outsiders: Postfix `smtpd_discard_ehlo_keywords = silent-discard, dsn`, sendmail PrivacyOptions `noreceipts`';
