/** Helpers of the source tests: a folder of their own, archives made by the real programs, reading to the end. */
import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { vi } from 'vitest';
import { type BlockOptions, openBlocks } from '../../src/source/blocks.ts';
import { fileSource, type Source } from '../../src/source/source.ts';

// xz and bzip2 take their time on a busy machine.
vi.setConfig({ testTimeout: 30_000 });

const PACKAGES: Record<string, string> = { zstd: 'zstd', xz: 'xz-utils', bzip2: 'bzip2' };

export { temporaryFolder } from '../support/temporary-folder.ts';

/** A missing program fails the test: silence would hide that a format is not tested. */
export function compress(program: string, data: string | Uint8Array, ...args: string[]): Buffer {
  const { stdout, error, status, stderr } = spawnSync(program, ['-c', ...args], {
    input: data,
    maxBuffer: 1 << 30,
  });
  if (error) {
    throw new Error(
      `these tests need ${program}: apt-get install ${PACKAGES[program] ?? program} (${error.message})`,
    );
  }
  if (status !== 0) throw new Error(`${program} failed: ${stderr}`);
  return stdout;
}

export const ARCHIVES = [
  { name: 'gzip', make: (data: string | Uint8Array) => gzipSync(data) },
  { name: 'zstd', make: (data: string | Uint8Array) => compress('zstd', data, '-q') },
  { name: 'xz', make: (data: string | Uint8Array) => compress('xz', data, '-0') },
  { name: 'bzip2', make: (data: string | Uint8Array) => compress('bzip2', data, '-1') },
] as const;

export function source(path: string): Source {
  return fileSource(path, statSync(path));
}

export interface Reading {
  bytes: Buffer;
  error: (Error & { delivered?: number }) | null;
}

export async function readAll(from: Source, options?: BlockOptions): Promise<Reading> {
  const blocks: Buffer[] = [];
  let error: Error | null = null;
  try {
    for await (const block of openBlocks(from, options)) blocks.push(Buffer.from(block));
  } catch (thrown) {
    error = thrown as Error;
  }
  return { bytes: Buffer.concat(blocks), error };
}

/** Lines that compress like a log, and of which each is different. */
export function logLines(count: number): string {
  let text = '';
  let random = 42;
  for (let i = 0; i < count; i += 1) {
    random = (Math.imul(random, 1103515245) + 12345) >>> 0;
    const id = random.toString(16).toUpperCase();
    text += `Nov 21 01:58:${String(i % 60).padStart(2, '0')} mx postfix/qmgr[24]: ${id}: from=<u${i}@example.com>, size=${random % 9999}\n`;
  }
  return text;
}
