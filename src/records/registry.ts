/**
 * Which parser reads a line. The tag is a hint, the text decides where the tag does not.
 */
import { postfix } from '../../parsers/postfix.ts';
import { qmail } from '../../parsers/qmail.ts';
import { sendmail } from '../../parsers/sendmail.ts';
import { spf } from '../../parsers/spf.ts';
import type { LineHead } from '../lines/head.ts';
import type { Parser } from './contract.ts';

/** The parsers of MTAs, in the order of record.ts's MTA numbers. A fourth MTA is one more file and one more line here. */
export const PARSERS: readonly Parser[] = [sendmail, postfix, qmail];

/** The parser for a line, or null for another program's. */
export function parserFor(head: LineHead): Parser | null {
  switch (head.tag.program) {
    case 'postfix':
      return postfix;
    case 'sendmail':
      return sendmail;
    case 'qmail':
      return qmail;
    case 'spf':
      return spf;
    case 'unknown':
      // multilog, bare text: the strictest first.
      if (qmail.claims(head)) return qmail;
      if (postfix.claims(head)) return postfix;
      return sendmail.claims(head) ? sendmail : null;
    default:
      // `sendmail -L anything`, a syslog_name of the site's own, `splogger anything`: rare, so all look at the text.
      if (head.sploggerStamp !== 0 && qmail.claims(head)) return qmail;
      if (sendmail.claims(head)) return sendmail;
      return postfix.claims(head) ? postfix : null;
  }
}
