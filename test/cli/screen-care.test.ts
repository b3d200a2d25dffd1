/** What a screen that is left open for days must not do, on the built program: grow, and leave the terminal broken. */
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { bundle } from '../../src/bundle.mjs';
import { PROGRAM, ROOT } from './program.ts';

const SCREEN = join(dirname(PROGRAM), 'screen');
beforeAll(() => bundle({ start: 'src/screen/start.tsx' }, SCREEN));

/** A terminal that is none: what is written is kept, keys are pushed. */
const STAGE = `
  import { PassThrough } from 'node:stream';
  process.env.NODE_ENV = 'production';
  process.env.CI = 'false';
  const { startScreen } = await import(${JSON.stringify(join(SCREEN, 'start.js'))});
  const written = [];
  const stdout = Object.assign(new PassThrough(), { isTTY: true, columns: 100, rows: 30 });
  stdout.write = (text) => { written.push(text); return true; };
  const stdin = Object.assign(new PassThrough(), { isTTY: true, setRawMode() {}, ref() {}, unref() {} });
  let now = 0;
  const zero = [0, 0, 0, 0, 0];
  const wishes = [];
  const screen = startScreen({
    stdin, stdout, color: true, zone: 'UTC', now: () => now,
    status: () => ({ progress: { phase: 'live', paused: false, rate: now, lines: now, backlog: 0 }, sources: ['a'], unread: 0 }),
    lifeOf: () => '',
    onWish: (wish) => wishes.push(wish.kind),
  });
  const view = (n) => ({
    newest: n * 60000, from: 0, whole: [n, n, n, n, n], hour: zero,
    steps: { minute: [{ at: n * 60000, figures: [n, n, n, n, n] }], hour: [], day: [] },
    suspects: 0, groups: { client: [], victim: [], hop: [], reason: [] }, bounded: false,
    entries: [], plain: [], pending: n, filter: null, filteredFrom: null,
  });
  const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
`;

function staged(script: string): { stdout: string; stderr: string; status: number | null } {
  return spawnSync(process.execPath, ['--expose-gc', '--input-type=module', '-e', `${STAGE}\n${script}`], {
    cwd: ROOT,
    encoding: 'utf8',
  });
}

describe('the screen', () => {
  test('leaves no performance entries and no memory behind, frame by frame', () => {
    const { stdout, stderr } = staged(`
      const draw = async (n) => {
        for (let i = 0; i < n; i += 1) { now += 1000; screen.show(view(now)); stdin.write(i % 2 ? 'j' : 't'); await sleep(62); }
      };
      await draw(20);
      gc();
      const before = process.memoryUsage().heapUsed;
      const frames = written.length;
      await draw(30);
      const drawn = written.length - frames;
      written.length = 0;
      gc();
      const grown = process.memoryUsage().heapUsed - before;
      screen.close();
      console.log(JSON.stringify({ entries: performance.getEntries().filter(({ entryType }) => entryType !== 'node').length, grown, drawn }));
      process.exit();
    `);
    expect(stderr).toBe('');
    const { entries, grown, drawn } = JSON.parse(stdout) as { entries: number; grown: number; drawn: number };
    expect(drawn).toBeGreaterThan(15);
    expect(entries).toBe(0);
    // The development build keeps 70 kB a frame.
    expect(grown).toBeLessThan(30 * 20_000);
  });

  test('a crash puts the terminal back before the error is printed', () => {
    const { stdout, status, stderr } = staged(`
      process.on('exit', () => console.log(JSON.stringify(written.join(''))));
      process.on('uncaughtExceptionMonitor', () => screen.close());
      screen.show(view(1));
      await sleep(100);
      setTimeout(() => { throw new Error('a bug'); });
    `);
    expect(status).not.toBe(0);
    expect(stderr).toContain('a bug');
    const text = JSON.parse(stdout) as string;
    expect(text).toMatch(/\x1b\[\?25h\x1b\[\?1049l$/);
    expect(text.split('\x1b[?1049h')).toHaveLength(2);
  });

  test('an exit from anywhere does, too', () => {
    const { stdout } = staged(`
      process.on('exit', () => console.log(JSON.stringify(written.join(''))));
      screen.show(view(1));
      setTimeout(() => process.exit(3), 100);
    `);
    // The order of exit listeners is that of their making: the screen's own came first.
    expect(JSON.parse(stdout)).toMatch(/\x1b\[\?1049l$/);
  });

  test('keys held down give no more than 16 frames a second; each key counts', () => {
    const { stdout } = staged(`
      screen.show(view(1));
      await sleep(200);
      const before = written.filter((text) => text.includes('?2026h')).length;
      const from = performance.now();
      for (let n = 0; n < 100; n += 1) { stdin.write(' '); await sleep(5); }
      const seconds = (performance.now() - from) / 1000;
      const frames = written.filter((text) => text.includes('?2026h')).length - before;
      screen.close();
      console.log(JSON.stringify({ frames, seconds, wishes: wishes.length }));
      process.exit();
    `);
    const { frames, seconds, wishes } = JSON.parse(stdout) as Record<string, number>;
    expect(frames).toBeLessThanOrEqual(18 * seconds + 1);
    expect(wishes).toBe(100);
  });
});
