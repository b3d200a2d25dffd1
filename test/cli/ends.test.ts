/** How the program ends: wrong usage, closed pipes, full devices, Ctrl-C. */
import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { bytesOf, dsnstat, MIXED, output, shell, stable, startDsnstat } from './program.ts';

describe('usage', () => {
  const cases: readonly (readonly [string[], RegExp])[] = [
    [['--frmat', 'json'], /unknown option --frmat; did you mean --format\?/],
    [['-z'], /unknown option -z; see dsnstat --help/],
    [['--format', 'xml'], /--format: xml is not one of text, /],
    [['chains', '--format', 'html'], /--format: html is not one of ndjson, /],
    [['--format='], /--format needs a value/],
    [['--top', 'many'], /--top: many is not a whole number/],
    [['--tz', 'Mars/Phobos'], /not a time zone/],
    [['--since', 'whenever'], /not a time/],
    [['--since', '2026-02-02', '--until', '2026-02-01'], /--since is not before --until/],
    [['--mta', 'exim'], /--mta: exim is not one of auto, sendmail, postfix, qmail/],
    [['--inside', '192.0.2.0/33'], /neither a network .* nor a domain/],
    [['chains', '--table', 'dsn'], /--table is not for dsnstat chains/],
    [['--anonymise=yes'], /takes no value/],
    [['-o', '/nonexistent/report.txt'], /\/nonexistent\/report\.txt/],
  ];

  test.each(cases)('%j: one line that says what would be right, exit 2', (args, message) => {
    const { status, stdout, stderr } = dsnstat([...args, MIXED]);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(/^dsnstat: [^\n]*\n$/);
    expect(stderr).toMatch(message);
  });

  test('--help and --version', () => {
    expect(output(['--help'])).toMatch(/^Usage:\n/);
    expect(output(['chains', '--help'])).toContain('--with-dsn');
    expect(output(['--version'])).toMatch(/^dsnstat \d+\.\d+\.\d+\n$/);
  });
});

describe('standard output', () => {
  test('a reader that closes the pipe ends it quietly, with 0', () => {
    for (const command of [`chains ${MIXED} samples/sendmail samples/qmail`, MIXED, '--help']) {
      const { stdout, stderr } = shell(`dsnstat ${command} | head -1 >/dev/null; echo "\${PIPESTATUS[0]}"`);
      expect({ stdout, stderr }, command).toEqual({ stdout: '0\n', stderr: '' });
    }
  });

  test('endless chains into a closed pipe end, too', () => {
    const script = `(for i in {1..200}; do cat ${MIXED}; done) | dsnstat chains | head -1 >/dev/null; echo "\${PIPESTATUS[1]}"`;
    expect(shell(script)).toMatchObject({ stdout: '0\n', stderr: '' });
  });

  test.each(['report', 'chains', '--help'])('a full device: one line and exit 2 (%s)', (command) => {
    const { status, stderr } = shell(`dsnstat ${command} ${command === '--help' ? '' : MIXED} >/dev/full`);
    expect(status).toBe(2);
    expect(stderr).toBe('dsnstat: standard output: no space left on device\n');
  });

  test.each(['report', 'chains'])('a full device by -o: one line and exit 2 (%s)', (command) => {
    const { status, stdout, stderr } = dsnstat([command, '-o', '/dev/full', MIXED]);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(/^dsnstat: [^\n]*no space left on device\n$/);
  });
});

/** Sends MIXED again and again until the program has ended. */
async function interruptedWhileFed(args: readonly string[]) {
  const child = startDsnstat(args);
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (data) => {
    stdout += data;
  });
  child.stderr?.on('data', (data) => {
    stderr += data;
  });
  child.stdin?.on('error', () => {});
  const log = bytesOf(MIXED);
  let sent = 0;
  const feeding = setInterval(() => {
    child.stdin?.write(log);
    sent += 1;
    // Far more than is looked at before reading begins.
    if (sent === 50) child.kill('SIGINT');
  }, 20);
  const [status, signal] = await once(child, 'close');
  clearInterval(feeding);
  return { status, signal, stdout, stderr };
}

describe('Ctrl-C in the middle of an endless input', () => {
  test('a partial report that says so, and 130', async () => {
    const { status, stdout, stderr } = await interruptedWhileFed(['--format', 'json']);
    expect({ status, stderr }).toEqual({ status: 130, stderr: '' });
    const partial = stable(stdout);
    expect(partial.complete).toBe(false);
    expect(partial.input.lines).toBeGreaterThan(0);
    expect(partial.statistics.incoming).toBeGreaterThan(0);
  });

  test('text says INCOMPLETE', async () => {
    const { status, stdout } = await interruptedWhileFed([]);
    expect(status).toBe(130);
    expect(stdout).toContain('INCOMPLETE');
  });

  test('chains end with whole lines', async () => {
    const { status, stdout } = await interruptedWhileFed(['chains']);
    expect(status).toBe(130);
    expect(stdout).toMatch(/\n$/);
    for (const line of stdout.trimEnd().split('\n')) JSON.parse(line);
  });
});
