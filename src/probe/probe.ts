/**
 * The dialogue with a server: does it announce DSN, does it take NOTIFY, does it know its recipients at RCPT?
 *
 *   greeting, EHLO, STARTTLS and EHLO again, then with a recipient MAIL and RCPT twice, RSET, QUIT
 *
 * Owns what is asked, and what the answers mean (RFC 3461, RFC 5321). No mail is ever sent: DATA and BDAT are not in
 * here. Must not know output formats; sockets are session.ts's.
 */
import { domainOf } from '../dsn/address.ts';
import type { ProbeResult, RecipientAnswer, TlsFacts } from './result.ts';
import { type Reply, Session, SessionError } from './session.ts';

export interface ProbeRequest {
  readonly host: string;
  readonly port: number;
  /** Name for EHLO; null: the address literal of our end. */
  readonly helo: string | null;
  /** null: no transaction. */
  readonly rcpt: string | null;
  /** "" is the null reverse-path. */
  readonly mailFrom: string;
  /** `starttls`: where it is offered. */
  readonly tls: 'implicit' | 'starttls' | 'none';
  /** Milliseconds for the connection, for the handshake and for each reply. */
  readonly timeout: number;
  /** Local part that nobody has, for the unknown recipient. */
  readonly unknownUser: string;
}

/** Of `timeout`s, for everything together. */
const WHOLE = 5;

/** Never throws: what went wrong is in `error`, with all that was learnt before. */
export async function probe(request: ProbeRequest): Promise<ProbeResult> {
  const result = emptyResult(request);
  const deadline = Date.now() + request.timeout * WHOLE;
  try {
    const tlsFailed = await talk(request, result, deadline);
    if (tlsFailed) {
      result.transcript.push({ from: 'note', text: 'asking again without TLS' });
      await talk({ ...request, tls: 'none' }, result, deadline);
    }
  } catch (error) {
    if (!(error instanceof SessionError)) throw error;
    result.error = error.message;
  }
  result.complete = result.error === null;
  return result;
}

function emptyResult({ host, port, rcpt }: ProbeRequest): ProbeResult {
  return {
    schema_version: 1,
    kind: 'probe',
    complete: false,
    error: null,
    host,
    port,
    address: null,
    greeting: null,
    esmtp: null,
    tls: null,
    keywords: [],
    keywords_before_tls: null,
    dsn: 'unknown',
    mail: null,
    recipient: rcpt === null ? null : notAsked(rcpt),
    unknown_recipient: null,
    transcript: [],
  };
}

function notAsked(address: string): RecipientAnswer {
  return { address, result: 'not_asked', notify: 'not_asked', code: null, text: null };
}

/** True when the handshake failed and it is worth asking again without TLS. */
async function talk(request: ProbeRequest, result: ProbeResult, deadline: number): Promise<boolean> {
  const session = new Session(request.timeout, deadline, result.transcript);
  try {
    await session.connect(request.host, request.port);
    result.address = session.remoteAddress;
    if (request.tls === 'implicit') result.tls = await secure(session, request.host, 'implicit');
    const greeting = await session.reply('the greeting');
    result.greeting = { code: greeting.code, text: textOf(greeting) };
    if (greeting.code !== 220) {
      await quit(session);
      throw new SessionError(`the server does not talk to us: ${greeting.code} ${textOf(greeting)}`);
    }
    const helo = request.helo ?? session.localLiteral;
    let keywords = await hello(session, helo, result);
    if (request.tls === 'starttls' && keywords?.has('STARTTLS')) {
      result.keywords_before_tls = namesOf(keywords);
      const ready = await session.command('STARTTLS');
      if (ready.code === 220) {
        try {
          result.tls = await secure(session, request.host, 'starttls');
        } catch (error) {
          if (!(error instanceof SessionError) || Date.now() >= deadline) throw error;
          result.tls = { how: 'starttls', protocol: null, trusted: false, problem: error.message };
          return true;
        }
        keywords = await hello(session, helo, result);
      } else
        result.transcript.push({
          from: 'note',
          text: 'STARTTLS was announced and refused; going on without',
        });
    }
    result.keywords = namesOf(keywords);
    result.dsn = keywords?.has('DSN') ? 'announced' : 'not_announced';
    if (request.rcpt !== null)
      await transactions(session, request, request.rcpt, keywords ?? new Map(), result);
    await quit(session);
    return false;
  } finally {
    session.close();
  }
}

async function secure(session: Session, host: string, how: TlsFacts['how']): Promise<TlsFacts> {
  const { protocol, problem } = await session.secure(host);
  return { how, protocol, trusted: problem === null, problem };
}

/** EHLO, or HELO where a server is older than that; null without ESMTP. */
async function hello(
  session: Session,
  helo: string,
  result: ProbeResult,
): Promise<Map<string, string> | null> {
  const reply = await session.command(`EHLO ${helo}`);
  result.esmtp = reply.code === 250;
  if (reply.code === 250) return keywordsOf(reply);
  const old = reply.code >= 500 ? await session.command(`HELO ${helo}`) : reply;
  if (old.code === 250) return null;
  await quit(session);
  throw new SessionError(`EHLO was refused: ${old.code} ${textOf(old)}`);
}

/** Keyword to parameters; names in upper case (RFC 5321 section 4.1.1.1). The first line is the server's name. */
function keywordsOf(reply: Reply): Map<string, string> {
  const keywords = new Map<string, string>();
  for (const line of reply.lines.slice(1)) {
    const found = /^([A-Za-z0-9][A-Za-z0-9-]{0,63})(?:[ =](.*))?$/.exec(line.trim());
    if (found !== null) keywords.set(found[1].toUpperCase(), found[2] ?? '');
  }
  return keywords;
}

function namesOf(keywords: Map<string, string> | null): string[] {
  return keywords === null ? [] : [...keywords.keys()];
}

/** First the recipient with NOTIFY, then one that cannot exist. */
async function transactions(
  session: Session,
  request: ProbeRequest,
  rcpt: string,
  keywords: ReadonlyMap<string, string>,
  result: ProbeResult,
): Promise<void> {
  const announced = keywords.has('DSN');
  // What is not ASCII needs SMTPUTF8 (RFC 6531).
  const utf8 = /[^\x00-\x7f]/.test(rcpt + request.mailFrom);
  if (utf8 && !keywords.has('SMTPUTF8')) {
    result.transcript.push({
      from: 'note',
      text: 'the addresses are not ASCII and the server has no SMTPUTF8: not asked',
    });
    return;
  }
  const mail = `MAIL FROM:<${request.mailFrom}>${utf8 ? ' SMTPUTF8' : ''}`;
  let opened = await session.command(announced ? `${mail} RET=HDRS ENVID=dsnstat-probe` : mail);
  result.mail = {
    reverse_path: request.mailFrom,
    code: opened.code,
    text: textOf(opened),
    ret_envid: !announced ? 'not_asked' : opened.code === 250 ? 'accepted' : 'refused',
  };
  if (opened.code !== 250 && announced) {
    opened = await session.command(mail);
    // Refused with and without: it was not the parameters.
    if (opened.code !== 250) result.mail.ret_envid = 'undecided';
    result.mail.code = opened.code;
    result.mail.text = textOf(opened);
  }
  if (opened.code !== 250) return;
  result.recipient = await askRecipient(session, rcpt);
  await session.command('RSET');
  const again = await session.command(mail);
  if (again.code === 250) {
    const unknown = `${request.unknownUser}@${domainOf(rcpt)}`;
    const reply = await session.command(`RCPT TO:<${unknown}>`);
    const answer: RecipientAnswer = {
      address: unknown,
      result: resultOf(reply),
      notify: 'not_asked',
      code: reply.code,
      text: textOf(reply),
    };
    // Who refuses the known one, too, refuses us, not the unknown.
    if (answer.result === 'refused' && result.recipient.result !== 'accepted') answer.result = 'undecided';
    result.unknown_recipient = answer;
  }
  await session.command('RSET');
}

/** With NOTIFY; if that is refused, without, to know which of them it was. */
async function askRecipient(session: Session, address: string): Promise<RecipientAnswer> {
  const plain = `RCPT TO:<${address}>`;
  const reply = await session.command(
    `${plain} NOTIFY=SUCCESS,FAILURE,DELAY ORCPT=${originalRecipient(address)}`,
  );
  const answer: RecipientAnswer = {
    address,
    result: resultOf(reply),
    notify: 'accepted',
    code: reply.code,
    text: textOf(reply),
  };
  if (answer.result === 'accepted') return answer;
  if (answer.result === 'deferred') return { ...answer, notify: 'undecided' };
  const without = await session.command(plain);
  const result = resultOf(without);
  if (result === 'accepted') return { ...answer, result, notify: 'refused' };
  return { ...answer, result, notify: 'undecided', code: without.code, text: textOf(without) };
}

function resultOf({ code }: Reply): RecipientAnswer['result'] {
  if (code >= 200 && code < 300) return 'accepted';
  return code >= 500 ? 'refused' : 'deferred';
}

/** RFC 3461 section 4.2, xtext of section 4; addresses beyond ASCII as RFC 6533 section 3 has them. */
function originalRecipient(address: string): string {
  const type = /^[\x21-\x7e]*$/.test(address) ? 'rfc822' : 'utf-8';
  if (type === 'utf-8') return `${type};${address}`;
  const xtext = address.replace(/[+=]/g, (c) => `+${c.charCodeAt(0).toString(16).toUpperCase()}`);
  return `${type};${xtext}`;
}

function textOf(reply: Reply): string {
  return reply.lines.join(' ').trim();
}

/** The answers are in; how the server says goodbye changes nothing. */
async function quit(session: Session): Promise<void> {
  try {
    await session.command('QUIT');
  } catch (error) {
    if (!(error instanceof SessionError)) throw error;
  }
}
