/** Helpers of the end-to-end tests: the built program as a child process, archives, recounting. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { Chain } from '../../src/chains/chain.ts';
import type { Report } from '../../src/summary/report.ts';
import { PROGRAM, ROOT } from '../support/golden.mjs';

export { PROGRAM, ROOT };

if (!existsSync(PROGRAM)) throw new Error('these tests run the built program: npm run build');

export interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  /** Standard input; a pipe that ends at once when there is none. */
  readonly input?: string | Uint8Array;
  readonly env?: Record<string, string>;
}

const ENVIRONMENT = { PATH: process.env.PATH ?? '', TZ: 'UTC' };

/** Runs `dsnstat ...` in the project's folder. */
export function dsnstat(args: readonly string[], { input = '', env = {} }: RunOptions = {}): Ended {
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, ...args], {
    cwd: ROOT,
    input,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    env: { ...ENVIRONMENT, ...env },
  });
  return { status, stdout, stderr };
}

export function startDsnstat(args: readonly string[]): ChildProcess {
  return spawn(process.execPath, [PROGRAM, ...args], { cwd: ROOT, stdio: 'pipe', env: ENVIRONMENT });
}

/** A shell pipeline; `dsnstat` is the program. The status is that of dsnstat where it is put last in PIPESTATUS. */
export function shell(script: string): Ended {
  const { status, stdout, stderr } = spawnSync(
    'bash',
    ['--norc', '-c', `dsnstat() { "${process.execPath}" "${PROGRAM}" "$@"; }; ${script}`],
    { cwd: ROOT, encoding: 'utf8', env: ENVIRONMENT },
  );
  return { status, stdout, stderr };
}

/** Output of a run that must go well and quietly. */
export function output(args: readonly string[], options?: RunOptions): string {
  const { status, stdout, stderr } = dsnstat(args, options);
  if (status !== 0 || stderr !== '') throw new Error(`dsnstat ${args.join(' ')}: exit ${status}: ${stderr}`);
  return stdout;
}

export type StableReport = Omit<Report, 'generated_at'>;

/** The JSON report without the time of its making. */
export function stable(json: string): StableReport {
  const { generated_at: _, ...rest } = JSON.parse(json) as Report;
  return rest;
}

export function report(args: readonly string[], options?: RunOptions): StableReport {
  return stable(output(['report', '--format', 'json', ...args], options));
}

export function chains(args: readonly string[], options?: RunOptions): Chain[] {
  return output(['chains', ...args], options)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Chain);
}

/** Everything but how the bytes came: for inputs that must mean the same. */
export function meaning({ input, ...rest }: StableReport): unknown {
  const { files: _files, bytes: _bytes, ...lines } = input;
  return { ...rest, lines };
}

export { temporaryFolder } from '../support/temporary-folder.ts';

const PACKAGES: Record<string, string> = { zstd: 'zstd', xz: 'xz-utils', bzip2: 'bzip2' };

/** A missing program fails the test: silence would hide that a format is not tested. */
export function pack(program: string, data: Uint8Array): Buffer {
  if (program === 'gzip') return gzipSync(data);
  const { stdout, error, status, stderr } = spawnSync(program, ['-c'], { input: data, maxBuffer: 1 << 28 });
  if (error) {
    throw new Error(
      `this test needs ${program}: apt-get install ${PACKAGES[program] ?? program} (${error.message})`,
    );
  }
  if (status !== 0) throw new Error(`${program} failed: ${stderr}`);
  return stdout;
}

export const MIXED = 'samples/postfix/mixed.log';
export const WIDE = 'samples/sendmail/wide.log';

export function bytesOf(path: string): Buffer {
  const bytes = readFileSync(join(ROOT, path));
  return path.endsWith('.gz') ? gunzipSync(bytes) : bytes;
}

export function linesOf(path: string): string[] {
  return bytesOf(path).toString('latin1').replace(/\n$/, '').split('\n');
}
