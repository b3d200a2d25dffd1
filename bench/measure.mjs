// Runs a command as a whole process: wall time and peak memory.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const GNU_TIME = '/usr/bin/time';
const POLL_MILLISECONDS = 10;

/**
 * @typedef {{ seconds: number, peakMegabytes: number, output: string }} Measured
 *   `output` is its standard output when `keepOutput` was asked for
 */

/** @param {readonly number[]} values */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * Throws when the command fails.
 * @param {string} command @param {readonly string[]} args @param {{ keepOutput?: boolean }} [options]
 * @returns {Promise<Measured>}
 */
export async function measure(command, args, { keepOutput = false } = {}) {
  const scratch = mkdtempSync(join(tmpdir(), 'measure-'));
  try {
    const report = join(scratch, 'time');
    const gnu = existsSync(GNU_TIME);
    const argv = gnu ? [GNU_TIME, '-v', '-o', report, command, ...args] : [command, ...args];
    const began = performance.now();
    const child = spawn(argv[0], argv.slice(1), {
      stdio: ['ignore', keepOutput ? 'pipe' : 'ignore', 'pipe'],
    });
    let output = '';
    let problems = '';
    let polled = 0;
    child.stdout?.setEncoding('utf8').on('data', (text) => (output += text));
    child.stderr?.setEncoding('utf8').on('data', (text) => (problems = (problems + text).slice(-2000)));
    const poll = gnu
      ? undefined
      : setInterval(() => (polled = highWater(child.pid) ?? polled), POLL_MILLISECONDS);
    const status = await new Promise((resolve, reject) => {
      child.once('error', reject).once('close', (code, signal) => resolve(code ?? signal));
    }).finally(() => clearInterval(poll));
    const seconds = (performance.now() - began) / 1000;
    if (status !== 0) throw new Error(`${command} ${args.join(' ')}: exit ${status}: ${problems.trim()}`);
    const kilobytes = gnu
      ? Number(/Maximum resident set size \(kbytes\): (\d+)/.exec(readFileSync(report, 'utf8'))?.[1])
      : polled;
    return { seconds, peakMegabytes: kilobytes / 1000, output };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Linux only: peak memory so far in kB; undefined when the process is gone. @param {number | undefined} pid */
function highWater(pid) {
  try {
    const match = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'));
    return match === null ? undefined : Number(match[1]);
  } catch {
    return undefined;
  }
}
