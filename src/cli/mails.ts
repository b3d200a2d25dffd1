/**
 * The mail that `explain` was given: a file (a mail or an mbox, plain or compressed), a Maildir or a folder of .eml
 * files, or standard input.
 *
 * Owns which files are mails, and the order. Must not know what is in a mail.
 */
import type { Stats } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type RawMail, splitMails } from '../explain/mailbox.ts';
import { openBlocks } from '../source/blocks.ts';
import { findSources } from '../source/find.ts';
import { fileSource, type Source } from '../source/source.ts';
import { UsageError } from './errors.ts';

export interface FoundMail {
  readonly path: string;
  readonly raw: RawMail;
}

/** One at a time is in memory. What cannot be read goes to `onProblem`; the rest is still read. */
export async function* mailsOf(
  path: string,
  onProblem: (problem: unknown) => void,
): AsyncGenerator<FoundMail, void, void> {
  const facts = await stat(path).catch(() => null);
  const files = facts?.isDirectory() ? await mailsOfFolder(path) : [path];
  for (const file of files) {
    for (const source of await sourcesOf(file, onProblem)) {
      try {
        for await (const raw of splitMails(openBlocks(source))) yield { path: file, raw };
      } catch (error) {
        onProblem(error);
      }
    }
  }
}

/** The words about what cannot be read are those of every input. */
async function sourcesOf(file: string, onProblem: (problem: unknown) => void): Promise<Source[]> {
  const facts: Stats | null = file === '-' ? null : await stat(file).catch(() => null);
  if (facts?.isFile()) return [fileSource(file, facts)];
  const { sources, problems } = await findSources([file], { stdinIsTty: process.stdin.isTTY === true });
  for (const { message } of problems) onProblem(message);
  return sources;
}

/** Maildir: what is in new/ and cur/, by name, which begins with the time. Otherwise the .eml and mbox files. */
async function mailsOfFolder(path: string): Promise<string[]> {
  const names = await readdir(path);
  const folders = ['new', 'cur'].filter((name) => names.includes(name));
  const files: string[] = [];
  for (const folder of folders) {
    for (const name of await readdir(join(path, folder)).catch(() => [])) {
      if (!name.startsWith('.')) files.push(join(path, folder, name));
    }
  }
  if (folders.length === 0) {
    for (const name of names) if (/\.(?:eml|mbox|mbx)$/i.test(name)) files.push(join(path, name));
  }
  if (files.length > 0) return files.sort(byName);
  throw new UsageError(
    folders.length > 0
      ? `${path}: a Maildir without a mail`
      : `${path}: neither a Maildir (no new/ or cur/ in it) nor a folder with .eml files`,
  );
}

function byName(a: string, b: string): number {
  const [left, right] = [a, b].map((path) => path.slice(path.lastIndexOf('/') + 1));
  return left < right ? -1 : left > right ? 1 : 0;
}
