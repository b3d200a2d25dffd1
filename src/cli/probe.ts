/**
 * `dsnstat probe`: asks a server whether it offers DSN. Sends no mail.
 */
import { randomBytes } from 'node:crypto';
import { isIPv6 } from 'node:net';
import { hostname } from 'node:os';
import { jsonText } from '../outputs/escape.ts';
import { probeText } from '../outputs/probe-text.ts';
import { probe } from '../probe/probe.ts';
import type { ProbeOptions } from './arguments.ts';
import { useColor } from './color.ts';
import { complain, EXIT_DONE, EXIT_FAILED, UsageError } from './errors.ts';
import { Output } from './output.ts';

const SMTP = 25;
/** TLS from the first byte (RFC 8314 section 3.3). */
const SMTPS = 465;

export async function runProbe(inputs: readonly string[], options: ProbeOptions): Promise<number> {
  if (inputs.length !== 1) {
    throw new UsageError(
      'probe needs one server: dsnstat probe HOST[:PORT]; [2001:db8::1]:25 for an IPv6 address',
    );
  }
  const { host, port } = target(inputs[0]);
  checkAddress('--rcpt', options.rcpt);
  checkAddress('--mail-from', options.mailFrom === '' ? null : options.mailFrom);
  if (options.helo !== null && !/^[A-Za-z0-9_.:[\]-]{1,255}$/.test(options.helo)) {
    throw new UsageError(`--helo: ${options.helo} is not a host name`);
  }
  const output = new Output(options.output);
  const result = await probe({
    host,
    port,
    helo: options.helo ?? ownName(),
    rcpt: options.rcpt,
    mailFrom: options.mailFrom,
    tls: options.tls === 'auto' ? (port === SMTPS ? 'implicit' : 'starttls') : options.tls,
    timeout: options.timeout * 1000,
    unknownUser: `dsnstat-probe-${randomBytes(8).toString('hex')}`,
  });
  output.add(
    options.format === 'json'
      ? `${jsonText(result, 2)}\n`
      : probeText(result, { color: useColor(options, process.stdout) }),
  );
  await output.close();
  if (result.error === null) return EXIT_DONE;
  complain(`${inputs[0]}: ${result.error}`);
  return EXIT_FAILED;
}

/** `mx.example.org`, `mx.example.org:587`, `192.0.2.1`, `2001:db8::1`, `[2001:db8::1]:465`. */
function target(text: string): { host: string; port: number } {
  const parts = isIPv6(text) ? [text, text] : /^(?:\[([^\]]*)\]|([^:]*))(?::(\d{1,5}))?$/.exec(text);
  const host = parts?.[1] ?? parts?.[2] ?? '';
  const port = parts?.[3] === undefined ? SMTP : Number(parts[3]);
  const isName = /^[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,253}[A-Za-z0-9_.])?$/.test(host);
  if (!(isName || isIPv6(host)) || port < 1 || port > 65535) {
    throw new UsageError(`${text} is not a server; give HOST, HOST:PORT or [IPV6]:PORT`);
  }
  return { host, port };
}

/** What is sent must be one address and nothing else. */
function checkAddress(flag: string, address: string | null): void {
  if (address === null) return;
  if (
    !/^(?:"[^"\\\x00-\x1f\x7f]{1,62}"|[^\s"<>()[\]\\,;:@\x00-\x1f\x7f]{1,64})@[^\s"<>()\\,;@\x00-\x1f\x7f]{1,255}$/.test(
      address,
    )
  ) {
    throw new UsageError(`${flag}: ${address} is not an address; give user@example.com`);
  }
}

/** A name with a dot is worth saying; others would be refused as not fully qualified. */
function ownName(): string | null {
  const name = hostname();
  return /^[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+$/.test(name) ? name : null;
}
