/**
 * A Postfix of its own for a test: own configuration, own queue, loopback ports; nothing of the system's is read or
 * changed. Started before the tests of a file, stopped after them.
 */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CERT, KEY } from './server.ts';

export interface Postfix {
  /** Ports by the name of the service. */
  readonly ports: Readonly<Record<string, number>>;
  /** All that it logged so far. */
  log(): string;
  /** Messages in its queues, whatever became of them. */
  queued(): string;
  stop(): void;
}

/** smtpd services by name, with what master.cf gives them beyond main.cf. */
export type Services = Readonly<Record<string, readonly string[]>>;

/** A missing program fails the tests: silence would hide that nothing was tested. */
function needed(): void {
  const found = spawnSync('postconf', ['-h', 'mail_version'], { encoding: 'utf8' });
  if (found.error)
    throw new Error(`this test needs Postfix: apt-get install postfix (${found.error.message})`);
  if (process.getuid?.() !== 0) throw new Error('this test starts Postfix, which needs root');
}

export async function startPostfix(services: Services): Promise<Postfix> {
  needed();
  const folder = mkdtempSync(join(tmpdir(), 'dsnstat-postfix-'));
  // Its daemons run as another user.
  chmodSync(folder, 0o755);
  const [config, queue, data] = ['etc', 'queue', 'data'].map((name) => join(folder, name));
  for (const path of [config, queue, data]) mkdirSync(path, { mode: 0o755 });
  spawnSync('chown', ['postfix', data]);
  const logFile = join(folder, 'maillog');
  const ports: Record<string, number> = {};
  for (const name of Object.keys(services)) ports[name] = await freePort();
  copyFileSync(CERT, join(config, 'cert.pem'));
  copyFileSync(KEY, join(config, 'key.pem'));
  writeFileSync(join(config, 'main.cf'), mainCf(config, queue, data, logFile, folder));
  writeFileSync(join(config, 'master.cf'), masterCf(services, ports));
  const postfix = (...words: string[]) => {
    // To files, not pipes: the master keeps them open.
    const out = openSync(join(folder, 'output'), 'a');
    return spawnSync('postfix', ['-c', config, ...words], { stdio: ['ignore', out, out], timeout: 30_000 });
  };
  const stop = (): void => {
    postfix('stop');
    const pidFile = join(queue, 'pid', 'master.pid');
    if (existsSync(pidFile) && isRunning(Number(readFileSync(pidFile, 'utf8')))) postfix('abort');
    rmSync(folder, { recursive: true, force: true });
  };
  const log = (): string => (existsSync(logFile) ? readFileSync(logFile, 'utf8') : '');
  const started = postfix('start');
  if (started.status !== 0) {
    const words = `${readFileSync(join(folder, 'output'), 'utf8')}\n${log()}`;
    stop();
    throw new Error(`postfix start: ${started.status}\n${words}`);
  }
  return {
    ports,
    log,
    queued: () => {
      const { status, stdout, stderr } = spawnSync('postqueue', ['-c', config, '-j'], { encoding: 'utf8' });
      if (status !== 0) throw new Error(`postqueue: ${status} ${stderr}`);
      return stdout;
    },
    stop,
  };
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function mainCf(config: string, queue: string, data: string, log: string, folder: string): string {
  return `
compatibility_level = 3.6
queue_directory = ${queue}
data_directory = ${data}
maillog_file = ${log}
maillog_file_prefixes = ${folder}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks =
myhostname = mx.probe.test
mydestination = probe.test
local_recipient_maps = inline:{ { bob = x } }
alias_maps =
alias_database =
smtpd_tls_security_level = may
smtpd_tls_cert_file = ${config}/cert.pem
smtpd_tls_key_file = ${config}/key.pem
smtpd_relay_restrictions = reject_unauth_destination
smtpd_peername_lookup = no
default_transport = error:no mail leaves this test
relay_transport = error:no mail leaves this test
`;
}

function masterCf(services: Services, ports: Readonly<Record<string, number>>): string {
  const lines = Object.entries(services).map(([name, options]) =>
    [`127.0.0.1:${ports[name]} inet n - n - - smtpd`, ...options.map((option) => `  -o ${option}`)].join(
      '\n',
    ),
  );
  return `${lines.join('\n')}
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
local unix - n n - - local
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
showq unix n - n - - showq
`;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}
