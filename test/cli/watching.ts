/** A run of `dsnstat watch` without a terminal, and what its tests write and compare. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Snapshot } from '../../src/live/snapshot.ts';
import { PROGRAM, ROOT } from './program.ts';

/** A run of watch that prints a snapshot a second. */
export class Watching {
  readonly child: ChildProcess;
  stdout = '';
  stderr = '';

  constructor(args: readonly string[], env: Record<string, string> = {}) {
    this.child = spawn(
      process.execPath,
      [PROGRAM, 'watch', '--format', 'ndjson', '--interval', '1', '--tz', 'UTC', ...args],
      {
        cwd: ROOT,
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { PATH: process.env.PATH ?? '', TZ: 'UTC', ...env },
      },
    );
    this.child.stdout?.on('data', (data) => {
      this.stdout += data;
    });
    this.child.stderr?.on('data', (data) => {
      this.stderr += data;
    });
  }

  get snapshots(): Snapshot[] {
    return this.stdout
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Snapshot);
  }

  /** Waits for a snapshot that fits. */
  async until(fits: (snapshot: Snapshot) => boolean): Promise<Snapshot> {
    for (let n = 0; n < 160; n += 1) {
      const found = this.snapshots.findLast(fits);
      if (found !== undefined) return found;
      if (this.child.exitCode !== null) break;
      await sleep(50);
    }
    throw new Error(`no such snapshot; the last one: ${this.stdout.slice(-2000)} ${this.stderr}`);
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<Snapshot> {
    this.child.kill(signal);
    if (this.child.exitCode === null) await once(this.child, 'close');
    return this.snapshots.at(-1) as Snapshot;
  }
}

/** Fits when so many lines have been taken. */
export const lines =
  (n: number) =>
  ({ input }: Snapshot): boolean =>
    input.lines >= n;

export function figuresOf({
  statistics,
  accounting,
  dsn,
  recipients,
  rejected,
  backscatter: { suspects },
}: Omit<Snapshot, 'kind'>): unknown {
  return { statistics, accounting, dsn, recipients, rejected, suspects };
}

/** A delivered message: two lines with a number in them. */
export function message(n: number): string {
  const id = (0xa00000 + n).toString(16).toUpperCase();
  const at = new Date(Date.UTC(2026, 10, 20) + n * 1000).toISOString();
  return (
    `${at} mx postfix/smtpd[7]: ${id}: client=a.example[192.0.2.1]\n` +
    `${at} mx postfix/qmgr[8]: ${id}: from=<s${n}@example.org>, size=1, nrcpt=1 (queue active)\n`
  );
}
