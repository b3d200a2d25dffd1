/**
 * Syslog tags as interned objects, and which family of program a tag belongs to.
 *
 * Owns the rules of log-formats.md 1.4. Looks at the tag alone; the text behind it is for the parsers.
 */
import { ByteIndex, hashBytes } from './byte-index.ts';
import { DELIVERIES_APART, NO_TAG, type Program, type Tag } from './head.ts';

/** Tags of programs that are not ours are kept up to this many; noise must not fill the memory. */
const MAX_FOREIGN = 4096;

/** Names that Postfix's own programs log under, as the last component of `{syslog_name}/{service}`. */
const POSTFIX_PROGRAMS = new Set(
  (
    'anvil bounce cleanup discard dnsblog error flush lmtp local master nqmgr oqmgr pickup pipe postalias postdrop ' +
    'postfix-script postlog postmap postqueue postscreen postsuper proxymap qmgr qmqpd retry scache sendmail showq ' +
    'smtp smtpd tlsmgr tlsproxy trivial-rewrite verify virtual'
  ).split(' '),
);

/** By another name (splogger's argument is the site's choice), it is one of several qmail-sends. */
const USUAL_QMAIL =
  /^(?:qmail(?:-(?:send|[lr]spawn|local|remote|clean|queue|inject|smtpd|qm[qt]pd|pop3d))?|splogger|tcpserver|spamdyke)$/;

const QMAIL_PROGRAMS = new Set(['qmail', 'splogger', 'tcpserver', 'spamdyke']);

/** Milters and policy daemons that say what SPF says; `postfix/policy-spf` is one, although spawn(8) starts it. */
const SPF_PROGRAM =
  /^(?:postfix[/-])?(?:py|python-)?(?:policyd?-spf(?:-perl|-python)?|spf-?milter|smf-spf|sid-filter|sid-milter|opendmarc|rspamd)$/i;

/** `postfix-policyd-spf-perl`, `postfix-exporter`: helpers that carry the name but are not Postfix. */
const POSTFIX_HELPER = /polic|spf|admin|export|stat|log|grey|milter|mta-sts/i;

export class Tags {
  private readonly index = new ByteIndex();
  private readonly tags: Tag[] = [NO_TAG];
  private foreign = 0;
  /** Stands for all foreign tags after the first MAX_FOREIGN; its number is 1. */
  private readonly rest: Tag = this.named('(other programs)');

  /** How many tags there are, without NO_TAG: numbers run from 1 to `size`. */
  get size(): number {
    return this.tags.length - 1;
  }

  tag(bytes: Uint8Array, start: number, end: number): Tag {
    return this.hashed(bytes, start, end, hashBytes(bytes, start, end));
  }

  /** As `tag`, for a caller who hashed the bytes while looking for the end of the tag. */
  hashed(bytes: Uint8Array, start: number, end: number, hash: number): Tag {
    const known = this.index.find(bytes, start, end, hash);
    if (known > 0) return this.tags[known];
    return start < end ? this.add(bytes, start, end, hash) : NO_TAG;
  }

  named(text: string): Tag {
    const bytes = Buffer.from(text);
    return this.tag(bytes, 0, bytes.length);
  }

  /** The tag with this number. */
  at(number: number): Tag {
    return this.tags[number] ?? NO_TAG;
  }

  private add(bytes: Uint8Array, start: number, end: number, hash: number): Tag {
    const text = Buffer.from(bytes.subarray(start, end)).toString();
    const described = describe(text);
    if (described.program === 'other' && ++this.foreign > MAX_FOREIGN) return this.rest;
    const number = this.index.add(bytes, start, end, hash);
    const { program, daemon, instance } = described;
    const usual = (program !== 'qmail' && program !== 'other') || USUAL_QMAIL.test(text);
    const tag: Tag = {
      text: internalised(text),
      program,
      daemon: internalised(daemon),
      instance: internalised(instance),
      deliveries: usual ? 0 : DELIVERIES_APART * ((hash & 0x7ff) + 1),
      number,
    };
    this.tags[number] = tag;
    return tag;
  }
}

/**
 * The same text as V8 keeps property names: equal ones are one object, and comparing them is comparing pointers. With
 * slices of the log it was a call per line.
 */
function internalised(text: string): string {
  return Object.keys({ [text]: 0 })[0];
}

interface Described {
  program: Program;
  daemon: string;
  instance: string;
}

/** What a tag says about its program. */
export function describe(tag: string): Described {
  const slash = tag.lastIndexOf('/');
  const daemon = slash < 0 ? '' : tag.slice(slash + 1).toLowerCase();
  const instance = slash < 0 ? tag : tag.slice(0, tag.indexOf('/'));
  if (SPF_PROGRAM.test(tag)) return { program: 'spf', daemon, instance: '' };
  if (isPostfix(tag, slash, daemon)) return { program: 'postfix', daemon, instance };
  // `/usr/sbin/sendmail`: a path, the program is its last part.
  const name = tag.startsWith('/') ? tag.slice(slash + 1) : tag;
  const program = programOf(name);
  return { program, daemon, instance: program !== 'qmail' || USUAL_QMAIL.test(name) ? '' : name };
}

function isPostfix(tag: string, slash: number, daemon: string): boolean {
  if (slash >= 0) {
    // An empty syslog_name gives `/postfix-script`; more than that before the slash is a path.
    if (slash > 0 && tag.startsWith('/')) return false;
    return tag.startsWith('postfix') || POSTFIX_PROGRAMS.has(daemon);
  }
  // rsyslog's RFC 5424 output cuts `postfix-out/smtp` down to `postfix-out`.
  return tag === 'postfix' || (tag.startsWith('postfix-') && !POSTFIX_HELPER.test(tag));
}

function programOf(name: string): Program {
  if (name === 'sendmail' || name.startsWith('sm-')) return 'sendmail';
  if (QMAIL_PROGRAMS.has(name) || name.startsWith('qmail-')) return 'qmail';
  return 'other';
}
