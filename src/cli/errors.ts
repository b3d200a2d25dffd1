/**
 * Errors to one clear line on standard error and to an exit status (contract section 1).
 *
 * Owns the statuses and the end of broken pipes. Must not know what went wrong where: messages come with the error.
 */
import { getSystemErrorMap } from 'node:util';
import { printable } from '../outputs/escape.ts';

export const EXIT_DONE = 0;
/** Usage, unreadable or undecodable input, write error. */
export const EXIT_FAILED = 2;
export const EXIT_INTERRUPTED = 130;
/** `check` only: 0 OK, 1 WARNING, 2 CRITICAL as monitoring plugins have it. */
export const EXIT_UNKNOWN = 3;

/** Something is wrong with the command line; the message says what, and what would be right. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** What is needed of a stream to complain on it. */
export interface Writable {
  write(text: string): unknown;
}

/** One line, `dsnstat: ...`; file names and log text may be hostile. The stack only with DSNSTAT_DEBUG=1. */
export function complain(problem: unknown, stderr: Writable = process.stderr): void {
  stderr.write(`dsnstat: ${reasonOf(problem)}\n`);
  if (process.env.DSNSTAT_DEBUG === '1' && problem instanceof Error && problem.stack !== undefined) {
    stderr.write(`${problem.stack.split('\n').map(printable).join('\n')}\n`);
  }
}

/** What `complain` says, without the program's name. */
export function reasonOf(problem: unknown): string {
  return printable(describe(problem));
}

function describe(problem: unknown): string {
  if (!(problem instanceof Error)) return String(problem);
  if (isSystemError(problem)) {
    const words = getSystemErrorMap().get(problem.errno)?.[1] ?? problem.code;
    return problem.path === undefined ? words : `${problem.path}: ${words}`;
  }
  // Nobody writes these for users to read.
  if (
    problem instanceof TypeError ||
    problem instanceof RangeError ||
    problem instanceof ReferenceError ||
    problem instanceof SyntaxError
  ) {
    return `internal error: ${problem.message}; please report it, with the output of DSNSTAT_DEBUG=1`;
  }
  return problem.message;
}

interface SystemError extends Error {
  readonly errno: number;
  readonly code: string;
  readonly path?: string;
}

function isSystemError(error: Error): error is SystemError {
  return 'errno' in error && typeof error.errno === 'number' && 'code' in error && 'syscall' in error;
}

export interface Streams {
  readonly stdout: NodeJS.WritableStream;
  readonly stderr: NodeJS.WritableStream;
  exit(status: number): void;
  readonly pid: number;
  kill(pid: number, signal: NodeJS.Signals): void;
}

/**
 * To be called once, before anything is written. A reader that closed the pipe (`| head -1`) has what it wanted: the
 * end, quietly; so is a terminal that is gone. Any other write error on standard output is told. With standard error gone there is nobody to tell,
 * but the result is still wanted.
 */
export function guardStreams(streams: Streams = process): void {
  streams.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') {
      streams.exit(EXIT_DONE);
      return;
    }
    // The terminal is gone, and the kernel says so by a signal as well; whoever has something to keep waits for that.
    if (error.code === 'EIO' && (streams.stdout as NodeJS.WriteStream).isTTY) {
      streams.kill(streams.pid, 'SIGHUP');
      return;
    }
    complain(new Error(`standard output: ${describe(error)}`), streams.stderr);
    streams.exit(EXIT_FAILED);
  });
  streams.stderr.on('error', () => {});
}
