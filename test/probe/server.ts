/** An SMTP server that plays a part: what it answers to each command is the test's. */
import { readFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { TLSSocket } from 'node:tls';
import { onTestFinished } from 'vitest';
import { ROOT } from '../support/golden.mjs';

export const CERT = join(ROOT, 'test/fixtures/tls/cert.pem');
export const KEY = join(ROOT, 'test/fixtures/tls/key.pem');

export interface Part {
  /** Lines of the greeting; null says nothing. */
  readonly greeting?: string | null;
  /** Keywords of EHLO; other than that it is `answer`'s. */
  readonly keywords?: readonly string[];
  readonly keywordsAfterTls?: readonly string[];
  /** A reply to a command, null for silence, 'close' for the end; undefined for the usual one. */
  readonly answer?: (command: string, secured: boolean) => string | null | undefined;
  /** TLS from the first byte. */
  readonly implicitTls?: boolean;
  /** What comes after the STARTTLS reply in place of a handshake; null is silence. */
  readonly insteadOfTls?: string | null;
}

export interface Running {
  readonly port: number;
  /** Every command that was received, in order. */
  readonly commands: string[];
  /** How many connections there were. */
  connections: number;
}

/** Listens on a free port of 127.0.0.1 until the test is over. */
export async function play(part: Part): Promise<Running> {
  const running: Running = { port: 0, commands: [], connections: 0 };
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    running.connections += 1;
    sockets.add(socket);
    socket.on('error', () => {});
    if (part.implicitTls) serve(secured(socket), part, running, true);
    else serve(socket, part, running, false);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return Object.assign(running, { port: (server.address() as { port: number }).port });
}

function secured(socket: Socket): TLSSocket {
  const secure = new TLSSocket(socket, { isServer: true, cert: readFileSync(CERT), key: readFileSync(KEY) });
  secure.on('error', () => {});
  return secure;
}

function serve(socket: Socket, part: Part, running: Running, isSecure: boolean): void {
  const say = (text: string): void => {
    socket.write(text.endsWith('\n') ? text : `${text}\r\n`);
  };
  if (part.greeting !== null && (!isSecure || part.implicitTls)) say(part.greeting ?? '220 probe.test ESMTP');
  let unread = '';
  const onData = (data: Buffer): void => {
    unread += data.toString();
    for (let end = unread.indexOf('\r\n'); end >= 0; end = unread.indexOf('\r\n')) {
      const command = unread.slice(0, end);
      unread = unread.slice(end + 2);
      running.commands.push(command);
      const answer = part.answer?.(command, isSecure);
      if (answer === null) continue;
      if (answer === 'close') {
        socket.destroy();
        return;
      }
      say(answer ?? usual(command, part, isSecure));
      if (command === 'QUIT') socket.end();
      if (command !== 'STARTTLS' || (answer !== undefined && !answer.startsWith('220'))) continue;
      socket.off('data', onData);
      if (part.insteadOfTls === undefined) serve(secured(socket), part, running, true);
      else if (part.insteadOfTls !== null) say(part.insteadOfTls);
      return;
    }
  };
  socket.on('data', onData);
}

function usual(command: string, part: Part, isSecure: boolean): string {
  const verb = command.split(/[ :]/)[0].toUpperCase();
  switch (verb) {
    case 'EHLO': {
      const keywords = (isSecure ? part.keywordsAfterTls : undefined) ?? part.keywords ?? [];
      const lines = ['probe.test greets you', ...keywords];
      return lines.map((line, i) => `250${i === lines.length - 1 ? ' ' : '-'}${line}\r\n`).join('');
    }
    case 'STARTTLS':
      return '220 2.0.0 Ready';
    case 'QUIT':
      return '221 2.0.0 Bye';
    default:
      return '250 2.0.0 Ok';
  }
}
