/**
 * Decompression by the programs that do it best: bytes to a child's standard input, its standard output to us.
 *
 * Owns which program, the package it comes in, and that no child outlives its reader. Must not know files or logs.
 */
import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Writable } from 'node:stream';
import { Damage, printable, UnreadableInput } from './errors.ts';
import type { Compression } from './magic.ts';

interface Tool {
  readonly programs: readonly string[];
  readonly args: readonly string[];
  readonly debianPackage: string;
}

const TOOLS: Readonly<Record<'zstd' | 'xz' | 'bzip2', Tool>> = {
  zstd: { programs: ['zstd'], args: ['-dcq'], debianPackage: 'zstd' },
  xz: { programs: ['xz'], args: ['-dc'], debianPackage: 'xz-utils' },
  // lbzip2 uses all cores.
  bzip2: { programs: ['lbzip2', 'bzip2'], args: ['-dc'], debianPackage: 'bzip2' },
};

const STDERR_KEPT = 4096;

export async function* throughTool(
  path: string,
  compression: Exclude<Compression, 'none' | 'gzip'>,
  raw: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, void> {
  const tool = TOOLS[compression];
  const program = findProgram(tool.programs);
  if (program === null) {
    const name = tool.programs.at(-1);
    throw new UnreadableInput(
      path,
      `cannot read ${printable(path)}: ${name} not found; install ${tool.debianPackage}`,
    );
  }
  const child = spawn(program, tool.args, {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, LC_ALL: 'C' },
  });
  let complaint = '';
  child.stderr.setEncoding('latin1').on('data', (text: string) => {
    if (complaint.length < STDERR_KEPT) complaint += text;
  });
  // 'error' is a failed start: too many processes, for example. 'close' follows in any case but that.
  const closed = new Promise<string | null>((resolve) => {
    child.on('error', (error) => resolve(error.message));
    child.on('close', (code, signal) =>
      resolve(code === 0 ? null : firstLine(complaint, signal ?? `status ${code}`)),
    );
  });
  const fed = feed(child.stdin, raw);
  try {
    for await (const chunk of child.stdout) yield chunk;
    const failure = await closed;
    const readError = await fed;
    if (readError !== null) throw readError;
    if (failure !== null) throw new Damage(failure);
  } finally {
    child.kill('SIGKILL');
    child.stdin.destroy();
    child.stdout.destroy();
    child.stderr.destroy();
    await closed;
  }
}

/** Resolves to what went wrong in reading; a child that wants no more is no error here, its exit status tells. */
async function feed(stdin: Writable, raw: AsyncIterable<Uint8Array>): Promise<unknown> {
  let open = true;
  stdin.on('error', () => {
    open = false;
  });
  stdin.on('close', () => {
    open = false;
  });
  try {
    for await (const block of raw) {
      // The block's memory is ours until it is written, and no longer.
      await new Promise<void>((resolve) => {
        stdin.write(block, () => resolve());
      });
      if (!open) return null;
    }
    return null;
  } catch (error) {
    return error;
  } finally {
    stdin.end();
  }
}

function findProgram(names: readonly string[]): string | null {
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  for (const name of names) {
    for (const folder of folders) {
      const program = join(folder, name);
      try {
        accessSync(program, constants.X_OK);
        return program;
      } catch {
        // not here
      }
    }
  }
  return null;
}

/** bzip2 explains itself on ten lines; the first one says it. */
function firstLine(complaint: string, otherwise: string): string {
  const line = complaint.split('\n').find((text) => text.trim() !== '');
  return line === undefined ? otherwise : printable(line.trim().replace(/\s*\.\s*$/, '')).slice(0, 200);
}
