/**
 * One SMTP connection: commands out, replies in, TLS in between; every wait has an end.
 *
 * Owns the socket, the time limits and the bounds on what a server may send. Must not know what is asked for.
 */
import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { getSystemErrorMap } from 'node:util';
import type { Line } from './result.ts';

/** Something between us and the server went wrong; the message is for users. */
export class SessionError extends Error {
  override readonly name = 'SessionError';
}

export interface Reply {
  readonly code: number;
  /** Without codes. */
  readonly lines: readonly string[];
}

/** RFC 5321 section 4.5.3.1.5 allows 512 octets; some send more. */
const LONGEST_LINE = 4096;
const MOST_LINES = 200;

const LF = 0x0a;

export class Session {
  readonly #timeout: number;
  readonly #deadline: number;
  readonly #transcript: Line[];
  #socket: Socket | TLSSocket | null = null;
  #unread: Buffer = Buffer.alloc(0);
  #lines: string[] = [];
  #failure: SessionError | null = null;
  #closed = false;
  /** Whoever waits for bytes, for the end or for an error. */
  #wake: (() => void) | null = null;

  /** `timeout` (ms) for each step, `deadline` (ms since the epoch) for all of them. */
  constructor(timeout: number, deadline: number, transcript: Line[]) {
    this.#timeout = timeout;
    this.#deadline = deadline;
    this.#transcript = transcript;
  }

  async connect(host: string, port: number): Promise<void> {
    const socket = connect({ host, port });
    this.#socket = socket;
    let connected = false;
    socket.once('connect', () => {
      connected = true;
      this.#wake?.();
    });
    this.#listen(socket);
    await this.#until(() => connected, `no connection to ${host}:${port}`);
  }

  get remoteAddress(): string | null {
    return this.#socket?.remoteAddress ?? null;
  }

  /** What EHLO takes where a host has no name (RFC 5321 section 4.1.3). */
  get localLiteral(): string {
    const address = (this.#socket?.localAddress ?? '127.0.0.1')
      .replace(/^::ffff:(?=\d+\.)/, '')
      .replace(/%.*$/, '');
    return isIP(address) === 6 ? `[IPv6:${address}]` : `[${address}]`;
  }

  /** The handshake. A certificate that does not hold is told, not refused: nothing secret is sent. */
  async secure(host: string): Promise<{ protocol: string | null; problem: string | null }> {
    const socket = this.#socket;
    if (socket === null) throw new SessionError('not connected');
    // Plain text behind the reply to STARTTLS is not the server's (CVE-2011-0411).
    if (this.#lines.length > 0 || this.#unread.length > 0) {
      this.#note('plain text was waiting behind the reply to STARTTLS; it is thrown away');
      this.#lines = [];
      this.#unread = Buffer.alloc(0);
    }
    socket.removeAllListeners();
    let ready = false;
    const secured = connectTls({
      socket,
      ...(isIP(host) === 0 ? { servername: host } : {}),
      rejectUnauthorized: false,
    });
    this.#socket = secured;
    socket.on('error', (error) => this.#fail(error));
    secured.once('secureConnect', () => {
      ready = true;
      this.#wake?.();
    });
    this.#listen(secured);
    await this.#until(() => ready, 'no TLS handshake');
    const protocol = secured.getProtocol();
    const problem = secured.authorized ? null : wordsOf(secured.authorizationError);
    this.#note(
      `${protocol ?? 'TLS'}${problem === null ? '' : `; the certificate does not hold: ${problem}`}`,
    );
    return { protocol, problem };
  }

  async command(text: string): Promise<Reply> {
    if (/[\r\n\0]/.test(text)) throw new SessionError('a command has one line');
    this.#transcript.push({ from: 'client', text });
    if (this.#failure !== null) throw this.#failure;
    if (!this.#closed) this.#socket?.write(`${text}\r\n`);
    return this.reply(`the reply to ${text.split(/[ :]/)[0]}`);
  }

  /** The next reply, all its lines (RFC 5321 section 4.2.1). `what` is for the message when it does not come. */
  async reply(what: string): Promise<Reply> {
    const texts: string[] = [];
    const limit = Date.now() + this.#timeout;
    while (texts.length < MOST_LINES) {
      await this.#until(() => this.#lines.length > 0, `no end of ${what}`, limit);
      const line = this.#lines.shift() as string;
      this.#transcript.push({ from: 'server', text: line });
      const found = /^([2-5]\d\d)(?:([ -])(.*))?$/.exec(line);
      if (found === null) throw new SessionError(`not SMTP: ${what} is ${JSON.stringify(line.slice(0, 80))}`);
      texts.push(found[3] ?? '');
      if (found[2] !== '-') return { code: Number(found[1]), lines: texts };
    }
    throw new SessionError(`${what} has more than ${MOST_LINES} lines`);
  }

  close(): void {
    this.#socket?.removeAllListeners();
    // What comes after is nobody's business, but must not end the program.
    this.#socket?.on('error', () => {});
    this.#socket?.destroy();
  }

  #note(text: string): void {
    this.#transcript.push({ from: 'note', text });
  }

  #listen(socket: Socket | TLSSocket): void {
    socket.on('data', (data: Buffer) => this.#take(data));
    socket.on('error', (error) => this.#fail(error));
    socket.on('close', () => {
      this.#closed = true;
      this.#wake?.();
    });
  }

  #take(data: Buffer): void {
    this.#unread = this.#unread.length === 0 ? data : Buffer.concat([this.#unread, data]);
    let from = 0;
    for (let end = this.#unread.indexOf(LF); end >= 0; end = this.#unread.indexOf(LF, from)) {
      this.#lines.push(this.#unread.toString('utf8', from, end).replace(/\r$/, ''));
      from = end + 1;
    }
    this.#unread = this.#unread.subarray(from);
    if (this.#unread.length > LONGEST_LINE || this.#lines.some((line) => line.length > LONGEST_LINE)) {
      this.#stop(new SessionError(`the server sent a line of more than ${LONGEST_LINE} bytes`));
    } else if (this.#lines.length > MOST_LINES) {
      this.#stop(new SessionError(`the server sent more than ${MOST_LINES} lines at once`));
    }
    this.#wake?.();
  }

  #stop(error: SessionError): void {
    this.#failure ??= error;
    this.#lines = [];
    this.#unread = Buffer.alloc(0);
    this.#socket?.destroy();
  }

  #fail(error: Error): void {
    this.#failure ??= new SessionError(wordsOf(error));
    this.#wake?.();
  }

  /** Waits, for what is left of the time, until it is so; throws what went wrong instead. */
  async #until(isSo: () => boolean, what: string, limit = Date.now() + this.#timeout): Promise<void> {
    const end = Math.min(limit, this.#deadline);
    while (!isSo()) {
      if (this.#failure !== null) throw this.#failure;
      if (this.#closed) throw new SessionError(`${what}: the server closed the connection`);
      const left = end - Date.now();
      if (left <= 0) throw new SessionError(`${what} in time; --timeout gives it more`);
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        timer = setTimeout(resolve, left);
      });
      clearTimeout(timer);
      this.#wake = null;
    }
  }
}

/** An error of the system or of OpenSSL in its own words. */
function wordsOf(error: unknown): string {
  const first = error instanceof AggregateError && error.errors.length > 0 ? error.errors[0] : error;
  if (!(first instanceof Error)) return String(first);
  const { code, errno } = first as NodeJS.ErrnoException;
  if (code === 'ENOTFOUND') return 'no such host';
  const words = typeof errno === 'number' ? getSystemErrorMap().get(errno)?.[1] : undefined;
  return words ?? first.message.split('\n')[0];
}
