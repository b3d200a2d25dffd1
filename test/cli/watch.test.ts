/** `dsnstat watch` without a terminal: following, snapshots, replay, the end. The screen is in test/screen. */
import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Snapshot } from '../../src/live/snapshot.ts';
import { bytesOf, dsnstat, linesOf, MIXED, ROOT, report, shell, temporaryFolder, WIDE } from './program.ts';
import { figuresOf, lines, message, Watching } from './watching.ts';

const { room } = temporaryFolder();

describe('a followed file', () => {
  test('what it holds, what comes, and what comes after a rotation: the figures are those of the report', async () => {
    const path = join(room(), 'mail.log');
    const bytes = bytesOf(MIXED);
    const half = bytes.indexOf(10, bytes.length >> 1) + 1;
    writeFileSync(path, bytes.subarray(0, half));
    const watching = new Watching([path]);
    await watching.until(lines(100));
    appendFileSync(path, bytes.subarray(half, half + 5000));
    const newline = bytes.indexOf(10, half + 5000) + 1;
    appendFileSync(path, bytes.subarray(half + 5000, newline));
    renameSync(path, `${path}.1`);
    await sleep(300);
    writeFileSync(path, bytes.subarray(newline));
    await watching.until(lines(linesOf(MIXED).length));
    const last = await watching.stop();
    expect(last.final).toBe(true);
    expect(figuresOf(last)).toEqual(figuresOf(report([MIXED]) as unknown as Snapshot));
    expect({ status: watching.child.exitCode, stderr: watching.stderr }).toEqual({ status: 0, stderr: '' });
  });

  test('one that does not exist yet is waited for, and that is said', async () => {
    const path = join(room(), 'mail.log');
    const watching = new Watching([path]);
    await sleep(700);
    copyFileSync(join(ROOT, WIDE), path);
    await watching.until(lines(linesOf(WIDE).length));
    await watching.stop('SIGINT');
    expect(watching.child.exitCode).toBe(0);
    expect(watching.stderr).toContain(`${path}: no such file; waiting for it`);
    expect(watching.stderr).toContain(`${path}: is there again; following it`);
  });

  test('--history reads the rotated files before, compressed or not', async () => {
    const path = join(room(), 'mail.log');
    const bytes = bytesOf(MIXED);
    const [a, b] = [1, 2].map((n) => bytes.indexOf(10, Math.floor((bytes.length * n) / 3)) + 1);
    writeFileSync(`${path}.2.gz`, gzipSync(bytes.subarray(0, a)));
    writeFileSync(`${path}.1`, bytes.subarray(a, b));
    writeFileSync(path, bytes.subarray(b));
    const watching = new Watching(['--history', path]);
    const last = await watching.until(lines(linesOf(MIXED).length));
    await watching.stop();
    expect(figuresOf(last)).toEqual(figuresOf(report([MIXED]) as unknown as Snapshot));
    const alone = new Watching([path]);
    const without = await alone.until(lines(100));
    await alone.stop();
    expect(without.input.lines).toBeLessThan(300);
  });

  test("many at once: qmail's folders, each with its current", async () => {
    const place = room();
    const bytes = bytesOf('samples/qmail/multilog.log');
    mkdirSync(join(place, 'send'));
    writeFileSync(join(place, 'send', 'current'), bytes);
    writeFileSync(join(place, 'mail.log'), bytesOf(MIXED));
    const watching = new Watching([place]);
    const last = await watching.until(
      lines(linesOf(MIXED).length + linesOf('samples/qmail/multilog.log').length),
    );
    await watching.stop();
    expect(figuresOf(last)).toEqual(figuresOf(report([place]) as unknown as Snapshot));
  });
});

describe('the model, against the program', () => {
  test('whatever is written, rotated, truncated, removed: each line counts once', async () => {
    const step = fc.oneof(
      fc.record({ act: fc.constant('write' as const), n: fc.integer({ min: 1, max: 400 }) }),
      fc.record({
        act: fc.constantFrom('rotate' as const, 'copytruncate' as const, 'remove' as const),
        n: fc.nat(1),
      }),
      fc.record({ act: fc.constant('pause' as const), n: fc.integer({ min: 0, max: 400 }) }),
    );
    const property = fc.asyncProperty(fc.array(step, { minLength: 12, maxLength: 20 }), async (steps) => {
      const path = join(room(), 'mail.log');
      writeFileSync(path, '');
      const watching = new Watching([path]);
      await watching.until(() => true);
      let number = 0;
      let rotated = 0;
      let there = true;
      for (const { act, n } of steps) {
        if (act === 'pause') await sleep(n);
        else if (act === 'write') {
          let text = '';
          for (let i = 0; i < n; i += 1) text += message(number++);
          appendFileSync(path, text);
          there = true;
        } else if (there) {
          // What nobody could read is not asked for: a look before the bytes are taken away.
          if (act === 'remove') await watching.until(lines(2 * number));
          for (let i = rotated; i > 0; i -= 1) renameSync(`${path}.${i}`, `${path}.${i + 1}`);
          if (act === 'remove') rmSync(path);
          else if (act === 'rotate') renameSync(path, `${path}.1`);
          else {
            copyFileSync(path, `${path}.1`);
            truncateSync(path);
          }
          if (act !== 'remove') rotated += 1;
          else for (let i = 0; i < rotated; i += 1) renameSync(`${path}.${i + 2}`, `${path}.${i + 1}`);
          there = act === 'copytruncate';
          if (act === 'rotate' && n === 1) {
            writeFileSync(path, '');
            there = true;
          }
        }
      }
      const last = await watching.until(lines(2 * number));
      await sleep(400);
      const end = await watching.stop();
      expect([last.input.lines, end.input.lines]).toEqual([2 * number, 2 * number]);
      expect(end.statistics.incoming).toBe(number);
    });
    await fc.assert(property, { numRuns: 2, endOnFailure: true });
  });
});

describe('the real logrotate', () => {
  const there = spawnSync('logrotate', ['--version']).error === undefined;

  test.each(['create', 'copytruncate'])(
    'rotation by %s loses nothing and counts nothing twice',
    async (how) => {
      if (!there) throw new Error('this test needs logrotate: apt-get install logrotate');
      const place = room();
      const path = join(place, 'mail.log');
      chmodSync(place, 0o755);
      writeFileSync(path, '');
      const config = join(place, 'logrotate.conf');
      writeFileSync(config, `"${path}" {\n  rotate 9\n  ${how === 'create' ? 'create 0644' : how}\n}\n`);
      chmodSync(config, 0o644);
      const watching = new Watching([path]);
      await watching.until(() => true);
      let number = 0;
      for (let round = 0; round < 4; round += 1) {
        for (let n = 0; n < 5; n += 1) {
          appendFileSync(path, message(number++) + message(number++));
          await sleep(20);
        }
        const { status, stderr } = spawnSync('logrotate', ['-f', '-s', join(place, 'state'), config], {
          encoding: 'utf8',
        });
        expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      }
      appendFileSync(path, message(number++));
      await watching.until(lines(2 * number));
      const last = await watching.stop();
      expect(last.input.lines).toBe(2 * number);
      expect(last.statistics.incoming).toBe(number);
      expect(watching.stderr.match(/was truncated/g)?.length ?? 0).toBe(how === 'create' ? 0 : 1);
    },
  );
});

describe('standard input', () => {
  test('a pipe that ends: a last snapshot and 0', () => {
    const { status, stdout, stderr } = dsnstat(['watch', '--tz', 'UTC', '-'], { input: bytesOf(WIDE) });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toContain('dsnstat watch, at the end: 2026-11-21 02:01:40 to 2026-11-21 02:02:17 (UTC)\n');
    expect(stdout).toMatch(/^ {2}Estimated +45 +45 {2}45\.9 % of incoming$/m);
  });

  test('compressed as well, and without being named', () => {
    const { status, stdout } = dsnstat(['watch', '--format', 'ndjson'], { input: gzipSync(bytesOf(WIDE)) });
    expect(status).toBe(0);
    expect((JSON.parse(stdout.trim()) as Snapshot).statistics.incoming).toBe(98);
  });

  test('a reader that closes the pipe ends it quietly', () => {
    const script = `(cat ${WIDE}; sleep 3; cat ${WIDE}) | dsnstat watch --interval 1 - | head -1 >/dev/null; echo "\${PIPESTATUS[1]}"`;
    expect(shell(script)).toMatchObject({ stdout: '0\n', stderr: '' });
  });
});

describe('snapshots as NDJSON', () => {
  const ajv = new Ajv2020({ allErrors: true, strict: true, strictRequired: false, allowUnionTypes: true });
  const schema = (name: string): Record<string, unknown> =>
    JSON.parse(readFileSync(join(ROOT, 'docs', name), 'utf8'));
  ajv.addSchema(schema('report-v1.schema.json'));
  const validate = ajv.compile(schema('snapshot-v1.schema.json'));
  const complaints = (value: unknown): unknown => (validate(value) ? [] : validate.errors);

  test('each is what docs/snapshot-v1.schema.json says: nothing yet, live, at the end', async () => {
    const path = join(room(), 'mail.log');
    const watching = new Watching([path]);
    await watching.until(lines(0));
    copyFileSync(join(ROOT, WIDE), path);
    await watching.until(({ backscatter }) => backscatter.suspects === 32);
    await watching.stop();
    const { snapshots } = watching;
    expect(snapshots.map(complaints)).toEqual(snapshots.map(() => []));
    expect(snapshots.at(0)?.period.from).toBeNull();
    expect(snapshots.at(-1)?.backscatter.client.length).toBe(10);
    // It would see what is wrong.
    const [{ reading, ...rest }] = snapshots;
    expect(complaints(rest)).not.toEqual([]);
    expect(complaints({ ...rest, reading: { ...reading, phase: 'asleep' } })).not.toEqual([]);
  });
});

describe('--replay', () => {
  test('finished logs in the order of their times, the figures of the report', () => {
    const args = ['samples/postfix', 'samples/sendmail', 'samples/qmail'];
    const { status, stdout } = dsnstat(['watch', '--replay', '--format', 'ndjson', '--tz', 'UTC', ...args]);
    expect(status).toBe(0);
    const last = JSON.parse(stdout.trim().split('\n').at(-1) as string) as Snapshot;
    expect(figuresOf(last)).toEqual(figuresOf(report(['--tz', 'UTC', ...args]) as unknown as Snapshot));
    expect(last.reading).toMatchObject({ backlog_bytes: 0 });
  });

  test('--speed plays the log at so many times its pace', async () => {
    // 37 seconds of log.
    const before = performance.now();
    const { status, stdout } = dsnstat(['watch', '--replay', '--speed', '20x', '--format', 'ndjson', WIDE]);
    const took = performance.now() - before;
    expect(status).toBe(0);
    expect(took).toBeGreaterThan(37_000 / 20);
    expect((JSON.parse(stdout.trim().split('\n').at(-1) as string) as Snapshot).statistics.incoming).toBe(98);
  });

  test('a file without a line of mail is told, exit 2', () => {
    const { status, stderr } = dsnstat(['watch', '--replay', 'test/fixtures/access.log']);
    expect(status).toBe(2);
    expect(stderr).toMatch(/^dsnstat: test\/fixtures\/access\.log: not? /);
  });
});

describe('usage', () => {
  test.each([
    [['--speed', '2x', MIXED], /--speed needs --replay/],
    [['--replay', '--speed', 'fast', MIXED], /--speed: fast is not a speed/],
    [['--format', 'html', MIXED], /--format: html is not one of auto, text, ndjson/],
    [['--replay', '/nonexistent.log'], /no such file/],
  ] as const)('%j: one line, exit 2', (args, message) => {
    const { status, stdout, stderr } = dsnstat(['watch', ...args]);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(message);
    expect(stderr.split('\n')).toHaveLength(2);
  });
});
