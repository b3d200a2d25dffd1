/** The screen of `dsnstat watch` in a real terminal (tmux): every key, sizes, rotation, pipes, and how it is left. */
import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bytesOf, linesOf, MIXED, PROGRAM, ROOT, report, WIDE } from './program.ts';

const folder = mkdtempSync(join(tmpdir(), 'dsnstat-screen-'));
const SOCKET = `dsnstat-${process.pid}`;

function tmux(...args: string[]): string {
  const { stdout, stderr, status, error } = spawnSync('tmux', ['-L', SOCKET, '-f', '/dev/null', ...args], {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C.UTF-8', TMUX: '' },
  });
  if (error) throw new Error(`this test needs tmux: apt-get install tmux (${error.message})`);
  if (status !== 0) throw new Error(`tmux ${args.join(' ')}: ${stderr}`);
  return stdout;
}

let sessions = 0;

/** A shell in a terminal, in which `dsnstat` was started. */
class InTerminal {
  readonly name: string;
  readonly home: string;
  readonly raw: string;

  constructor(command: string, columns = 80, rows = 24) {
    sessions += 1;
    this.name = `s${sessions}`;
    this.home = join(folder, this.name);
    this.raw = join(folder, `${this.name}.raw`);
    mkdirSync(this.home);
    writeFileSync(join(this.home, 'dsnstat'), `#!/bin/sh\nexec "${process.execPath}" "${PROGRAM}" "$@"\n`, {
      mode: 0o755,
    });
    // A CI's variables must make no difference.
    const shell = `cd "${this.home}"; PATH="$PWD:$PATH" TZ=UTC CI=true PS1='$ ' exec bash --norc --noprofile`;
    tmux('new-session', '-d', '-s', this.name, '-x', String(columns), '-y', String(rows), shell);
    tmux('pipe-pane', '-t', this.name, '-o', `cat >> "${this.raw}"`);
    this.keys(command, 'Enter');
  }

  keys(...keys: string[]): void {
    tmux('send-keys', '-t', this.name, ...keys);
  }

  get rows(): string[] {
    return tmux('capture-pane', '-p', '-t', this.name).split('\n');
  }

  get text(): string {
    return this.rows.join('\n');
  }

  resize(columns: number, rows: number): void {
    tmux('resize-window', '-t', this.name, '-x', String(columns), '-y', String(rows));
  }

  async until(pattern: RegExp, seconds = 30): Promise<string> {
    for (let n = 0; n < seconds * 20; n += 1) {
      const { text } = this;
      if (pattern.test(text)) return text;
      await sleep(50);
    }
    throw new Error(`${pattern} does not come; the screen is\n${this.text}`);
  }

  /** Whether the second screen is shown, and the cursor. */
  get state(): string {
    return tmux('display-message', '-p', '-t', this.name, '#{alternate_on} #{cursor_flag}').trim();
  }
}

beforeAll(() => tmux('new-session', '-d', '-s', 'keep', '-x', '80', '-y', '24', 'sleep 600'));
afterAll(() => {
  tmux('kill-server');
  rmSync(folder, { recursive: true, force: true });
});

const COPY = join(folder, 'mail.log');
writeFileSync(COPY, bytesOf(MIXED));

// Each has a terminal of its own, and waits for most of its time.
describe.concurrent('on a terminal', () => {
  test('the figures of the report; every key; then the terminal as it was, and a short report', async () => {
    const terminal = new InTerminal(`dsnstat watch --tz UTC ${COPY}`);
    const screen = await terminal.until(/LIVE.*Suppression ratio/s);
    const { statistics } = report([MIXED]);
    for (const [name, count] of Object.entries(statistics)) {
      expect(screen.toLowerCase()).toMatch(new RegExp(`^[ >]${name} +${count} `, 'm'));
    }
    terminal.keys('?');
    await terminal.until(/\[Keys\].*Ctrl-Z/s);
    terminal.keys('x', '1');
    await terminal.until(/\[1 Figures\]/);
    terminal.keys('Tab');
    await terminal.until(/\[2 Chart by minute\]/);
    terminal.keys('t');
    await terminal.until(/\[2 Chart by hour\]/);
    terminal.keys('BTab', 'j', 'Down', 'j', 'k', 'Enter');
    await terminal.until(/\[Estimated\].*18 kept/);
    terminal.keys('s');
    await terminal.until(/sorted by recipient/);
    terminal.keys('G', 'g', 'Enter');
    await terminal.until(
      /\[Chain [0-9A-F]+\].*DSN.*\n {2,}2026-11-21 \S+ +(?:arrival|arrived|queued|received)/s,
    );
    terminal.keys('l');
    await terminal.until(/\| .*postfix\/smtpd\[/);
    terminal.keys('Escape');
    await terminal.until(/\[Estimated\]/);
    terminal.keys('Escape');
    await terminal.until(/\[1 Figures\]/);
    terminal.keys('7', 'z');
    await terminal.until(/\[7 DSNs as they happen\][^\n]*\n>/);
    terminal.keys('Down', 'PageDown', 'Home', 'z');
    terminal.keys('/', ...'shop.test'.split(''), 'BSpace', 't');
    await terminal.until(/Filter .*: shop\.test/);
    terminal.keys('Enter');
    await terminal.until(/filter shop\.test +\d\d:/);
    expect(terminal.text).not.toMatch(/^[ >]Incoming +55 /m);
    terminal.keys('/', 'C-u', 'Enter');
    await terminal.until(/^[ >]Incoming +55 /m);
    terminal.keys('Space');
    await terminal.until(/LIVE PAUSED/);
    terminal.keys('Space', 'r');
    await terminal.until(/^[ >]Incoming +0 .*hour 55/m);
    terminal.keys('e', 'j');
    await terminal.until(/written to dsnstat-feed-\S+\.json/);
    terminal.keys('e', 'c');
    await terminal.until(/written to dsnstat-feed-\S+\.csv/);
    const files = readdirSync(terminal.home).filter((name) => name.startsWith('dsnstat-feed'));
    expect(files.map((name) => name.split('.').at(-1)).sort()).toEqual(['csv', 'json']);
    files.sort((a, b) => a.length - b.length);
    expect(statSync(join(terminal.home, files[1])).mode & 0o777).toBe(0o600);
    expect(
      (JSON.parse(readFileSync(join(terminal.home, files[1]), 'utf8')) as unknown[]).length,
    ).toBeGreaterThan(15);
    expect(terminal.state).toBe('1 0');
    terminal.keys('q');
    const after = await terminal.until(/dsnstat watch, at the end: /);
    expect(after).toMatch(/^\$ dsnstat watch --tz UTC/m);
    expect(after).toMatch(/^ {2}Estimated +18 /m);
    await terminal.until(/\n\$ *\n/);
    expect(terminal.state).toBe('0 1');
    terminal.keys('echo status $?', 'Enter');
    await terminal.until(/^status 0$/m);
  });

  test('three sizes, while it runs', async () => {
    const terminal = new InTerminal(`dsnstat watch --tz UTC --replay ${COPY}`);
    await terminal.until(/END.*Suppression ratio/s);
    terminal.resize(200, 60);
    await terminal.until(/3 Suspects by client.*4 Suspects by DSN recipient's domain/);
    expect(terminal.rows[58]).toContain('q quit');
    terminal.resize(50, 14);
    await terminal.until(/dsnstat END.*Incoming +55/s);
    expect(terminal.rows.filter((row) => row.includes('dsnstat'))).toHaveLength(1);
    terminal.resize(30, 6);
    await terminal.until(/^dsnstat ended in 55 est 18 ac…/);
    terminal.resize(80, 24);
    await terminal.until(/END.*Suppression ratio.*q quit/s);
    expect(terminal.rows[0]).toMatch(/^ dsnstat watch {2}END/);
    terminal.keys('q');
    await terminal.until(/at the end/);
  });

  test('a rotation under way', async () => {
    const path = join(folder, 'rotated.log');
    const bytes = bytesOf(WIDE);
    const half = bytes.indexOf(10, bytes.length >> 1) + 1;
    writeFileSync(path, bytes.subarray(0, half));
    const terminal = new InTerminal(`dsnstat watch --tz UTC ${path}`);
    await terminal.until(/LIVE.*Suppression ratio/s);
    renameSync(path, `${path}.1`);
    appendFileSync(path, bytes.subarray(half));
    await terminal.until(/395 lines.*^[ >]Incoming +98 .*^[ >]Suppressed +9 /ms);
    terminal.keys('C-c');
    await terminal.until(/at the end/);
    expect(terminal.state).toBe('0 1');
  });

  test('a log through a pipe, keys from the terminal', async () => {
    const terminal = new InTerminal(`(cat ${join(ROOT, WIDE)}; sleep 60) | dsnstat watch --tz UTC -`);
    await terminal.until(/LIVE {2}standard input.*^[ >]Incoming +98 /ms);
    terminal.keys('7', 'Enter');
    await terminal.until(/\[Chain /);
    terminal.keys('q');
    await terminal.until(/at the end/);
    expect(terminal.state).toBe('0 1');
  });

  test('signals put the terminal back, and the report comes', async () => {
    const terminal = new InTerminal('true');
    for (const signal of ['TERM', 'INT', 'HUP'] as const) {
      terminal.keys(`clear; dsnstat watch --tz UTC ${COPY} & pid=$!; fg >/dev/null`, 'Enter');
      await terminal.until(/LIVE/);
      const pid = tmux('list-panes', '-t', terminal.name, '-F', '#{pane_pid}').trim();
      const child = spawnSync('pgrep', ['-P', pid], { encoding: 'utf8' }).stdout.trim();
      process.kill(Number(child), `SIG${signal}`);
      await terminal.until(/at the end/);
      expect(terminal.state).toBe('0 1');
    }
  });

  test('the report at the end is of all, whatever was looked for', async () => {
    const terminal = new InTerminal(`dsnstat watch --tz UTC ${COPY}`);
    await terminal.until(/LIVE.*Suppression ratio/s);
    terminal.keys('/', 'nobody', 'Enter');
    await terminal.until(/^[ >]Incoming +0 /m);
    terminal.keys('q');
    await terminal.until(/Backscatter: 10 suspects/);
  });

  test('where the terminal is gone, what was read is kept, and nothing is said', async () => {
    const log = join(folder, 'hup.log');
    const state = join(folder, 'hup.state');
    writeFileSync(log, bytesOf(MIXED));
    const terminal = new InTerminal(
      `sh -c 'trap "" HUP; dsnstat watch --state ${state} ${log} 2>said; echo $? >status'`,
    );
    await terminal.until(/LIVE.*600 lines/s);
    appendFileSync(log, linesOf(MIXED).slice(0, 7).join('\n').concat('\n'));
    await terminal.until(/607 lines/);
    tmux('kill-session', '-t', terminal.name);
    const ended = join(terminal.home, 'status');
    for (let n = 0; n < 100 && !existsSync(ended); n += 1) await sleep(50);
    expect(readFileSync(ended, 'utf8')).toBe('0\n');
    expect(readFileSync(join(terminal.home, 'said'), 'utf8')).toBe('');
    expect(existsSync(`${state}.lock`)).toBe(false);
    expect(report(['--state', state, log]).input.lines).toBe(607);
  });

  test('Ctrl-Z gives the terminal back, fg takes it again; with NO_COLOR there is no colour at all', async () => {
    const terminal = new InTerminal(`NO_COLOR=1 dsnstat watch --tz UTC --replay ${COPY}`);
    await terminal.until(/END/);
    terminal.keys('C-z');
    await terminal.until(/Stopped/);
    expect(terminal.state).toBe('0 1');
    terminal.keys('fg', 'Enter');
    await terminal.until(/END.*q quit/s);
    terminal.keys('q');
    await terminal.until(/at the end/);
    const raw = readFileSync(terminal.raw, 'utf8');
    expect(
      [...raw.matchAll(/\x1b\[([\d;]+)m/g)].map(([, codes]) => codes).filter((codes) => codes !== '0'),
    ).toEqual([]);
  });
});

describe('care', () => {
  test('in steady state: no clearing, at most 4 frames a second, while lines come all the time', async () => {
    const path = join(folder, 'busy.log');
    const bytes = bytesOf(WIDE);
    writeFileSync(path, bytes);
    const terminal = new InTerminal(`dsnstat watch --tz UTC ${path}`, 120, 40);
    await terminal.until(/LIVE.*q quit/s);
    const from = statSync(terminal.raw).size;
    const began = performance.now();
    for (let n = 0; n < 40; n += 1) {
      appendFileSync(path, bytes.subarray(0, 4000));
      await sleep(50);
    }
    const raw = readFileSync(terminal.raw).subarray(from).toString();
    const seconds = (performance.now() - began) / 1000;
    const frames = raw.split('\x1b[?2026h').length - 1;
    expect(frames).toBeGreaterThan(1);
    // What was drawn before may come late.
    expect(frames).toBeLessThanOrEqual(4 * seconds + 1);
    expect(raw).not.toMatch(/\x1b\[[23]J/);
    terminal.keys('q');
    await terminal.until(/at the end/);
  });

  test('a key is answered while a flood of lines is being read, and none of them is lost', async () => {
    const path = join(folder, 'flood.log');
    writeFileSync(path, '');
    const terminal = new InTerminal(`dsnstat watch --tz UTC ${path}`);
    await terminal.until(/LIVE.*q quit/s);
    const lines = 150_000;
    const some = bytesOf(MIXED);
    const [copies, each] = [lines / 600, some.toString('latin1').split('\n').length - 1];
    expect(each).toBe(600);
    appendFileSync(path, Buffer.concat(Array.from({ length: copies }, () => some)));
    const [shown, taken] = ['\\[Keys\\]', '([\\d,]+) lines'].map((text) => new RegExp(text));
    terminal.keys('?');
    const help = await terminal.until(shown);
    expect(Number(taken.exec(help)?.[1].replaceAll(',', ''))).toBeLessThan(lines);
    terminal.keys('x');
    await terminal.until(/150,000 lines.*up to date/, 40);
    terminal.keys('q');
    await terminal.until(/at the end/);
  });
});

describe('README.md', () => {
  const README = join(ROOT, 'README.md');
  const BLOCK = /(<!-- screen: dsnstat (.*) -->\n\n```text\n)([\s\S]*?)(```\n)/;

  test('shows the screen of a real run (npm run screen makes it anew)', async () => {
    const text = readFileSync(README, 'utf8');
    const [, , args, shown] = BLOCK.exec(text) as RegExpExecArray;
    const terminal = new InTerminal(`cd "${ROOT}" && dsnstat ${args}`, 100, 32);
    await terminal.until(/ END .*q quit/s);
    // A terminal takes a frame in pieces: until two looks at it are the same.
    let screen = '';
    for (let before = ' '; screen !== before; ) {
      before = screen;
      await sleep(300);
      screen = `${terminal.text.trimEnd()}\n`;
    }
    // The wall clock is the one thing that changes.
    const rows = screen.split('\n').map((row, i) => (i === 1 ? row.replace(/ +\d\d:\d\d:\d\d$/, '') : row));
    terminal.keys('q');
    const made = rows.map((row) => row.trimEnd()).join('\n');
    if (process.env.UPDATE_SCREEN === '1') {
      writeFileSync(
        README,
        text.replace(BLOCK, (_, head, _args, _old, tail) => head + made + tail),
      );
    } else expect(shown).toBe(made);
  });
});
