/**
 * From the words of a command line to sources: files, directories, standard input, or the usual places.
 *
 * Owns what is taken and what is said about the rest. Must not know the content of logs (see names.ts for the
 * little that a directory needs), nor print or exit.
 */
import { constants, type Stats } from 'node:fs';
import { access, readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { describe, printable } from './errors.ts';
import { classOfName, looksLikeJsonLog, looksLikeLog, type NameClass } from './names.ts';
import { probe } from './probe.ts';
import { fifoSource, fileSource, type Source, stdinSource } from './source.ts';

/** What, where, what to do, on one line. The other sources are good. */
export interface SourceProblem {
  path: string;
  message: string;
  /** A directory without logs: for whoever waits, one may come. */
  noLog?: boolean;
}

export interface FoundSources {
  sources: Source[];
  /** Input that was asked for and cannot be had: exit status 2. */
  problems: SourceProblem[];
  /** Paths taken because nothing was asked for; empty otherwise. */
  chosen: string[];
  /** Worth a line on stderr, but no failure: a file named twice, a folder that was not looked into. */
  notes: SourceProblem[];
}

export interface FindOptions {
  stdinIsTty: boolean;
  usualPlaces?: string[];
}

/** A `*` stands for all names of one level. */
export const USUAL_PLACES: readonly string[] = [
  '/var/log/mail.log',
  '/var/log/maillog',
  '/var/log/qmail/*/current',
  '/var/log/qmail/current',
  '/var/log/mail/current',
];

const STDIN_NAMES: ReadonlySet<string> = new Set(['-', '/dev/stdin', '/dev/fd/0', '/proc/self/fd/0']);

export async function findSources(args: readonly string[], options: FindOptions): Promise<FoundSources> {
  const found = new Collection();
  if (args.length > 0) {
    for (const arg of args) await addArgument(found, arg, options);
  } else if (!options.stdinIsTty) {
    await addStdin(found, '-', options);
    found.chosen.push('-');
  } else {
    await addUsualPlaces(found, options.usualPlaces ?? USUAL_PLACES);
  }
  const { sources, problems, chosen, notes } = found;
  return { sources, problems, chosen, notes };
}

/** Sources without doubles, and what there is to say. */
class Collection {
  readonly sources: Source[] = [];
  readonly problems: SourceProblem[] = [];
  readonly chosen: string[] = [];
  readonly notes: SourceProblem[] = [];
  /** By identity: the path of a source and the argument that brought it. */
  #seen = new Map<string, { path: string; argument: string }>();

  /** False when the same file is already there. */
  add(source: Source, argument: string): boolean {
    const first = source.identity === null ? undefined : this.#seen.get(source.identity);
    if (first !== undefined) {
      // Two names in one directory are a link that its owner made, not a slip of the user.
      if (first.argument !== argument || source.path === argument) {
        this.note(
          source.path,
          `${place(source.path)} is the same file as ${place(first.path)}; it is read once`,
        );
      }
      return false;
    }
    if (source.identity !== null) this.#seen.set(source.identity, { path: source.path, argument });
    this.sources.push(source);
    return true;
  }

  problem(path: string, message: string, noLog = false): void {
    this.problems.push({ path, message, ...(noLog ? { noLog } : {}) });
  }

  note(path: string, message: string): void {
    this.notes.push({ path, message });
  }
}

async function addArgument(found: Collection, arg: string, options: FindOptions): Promise<void> {
  if (STDIN_NAMES.has(arg)) return addStdin(found, arg, options);
  let facts: Stats;
  try {
    facts = await stat(arg);
    await access(arg, constants.R_OK);
  } catch (error) {
    return found.problem(arg, describe(arg, error));
  }
  if (facts.isDirectory()) return addDirectory(found, arg);
  if (facts.isFile()) found.add(fileSource(arg, facts), arg);
  else if (facts.isFIFO()) found.add(fifoSource(arg, facts), arg);
  else
    found.problem(
      arg,
      `not a regular file: ${place(arg)} is a ${kindOf(facts)}; name a log file, a directory or -`,
    );
}

async function addStdin(found: Collection, name: string, options: FindOptions): Promise<void> {
  if (options.stdinIsTty) {
    return found.problem(
      name,
      'standard input is a terminal; pipe a log into it, or name a file or a directory',
    );
  }
  found.add(await stdinSource(name), name);
}

async function addUsualPlaces(found: Collection, places: readonly string[]): Promise<void> {
  for (const pattern of places) {
    for (const path of await expand(pattern)) {
      try {
        const facts = await stat(path);
        if (!facts.isFile()) continue;
        await access(path, constants.R_OK);
        if (found.add(fileSource(path, facts), 'usual places')) found.chosen.push(path);
      } catch (error) {
        // That a place does not exist is usual, too; that it may not be read must be said.
        if (!isMissing(error)) found.problem(path, describe(path, error));
      }
    }
  }
  if (found.sources.length === 0 && found.problems.length === 0) {
    const tried = places.map(printable).join(', ');
    found.problem(
      '',
      `no input: none of the usual places exists (${tried}); name a log file, a directory or -`,
    );
  }
}

/** A `*` may stand for one whole level of the path. */
async function expand(pattern: string): Promise<string[]> {
  const star = pattern.indexOf('/*/');
  if (star < 0) return [pattern];
  const folder = pattern.slice(0, star);
  const names = await readdir(folder === '' ? '/' : folder).catch(() => []);
  return names
    .filter((name) => !name.startsWith('.'))
    .sort()
    .map((name) => join(folder, name, pattern.slice(star + 3)));
}

interface Candidate {
  readonly path: string;
  readonly facts: Stats;
  readonly kind: NameClass;
  readonly readable: boolean;
}

async function addDirectory(found: Collection, directory: string): Promise<void> {
  let candidates: Candidate[];
  try {
    candidates = await candidatesIn(found, directory, true);
  } catch (error) {
    return found.problem(directory, describe(directory, error));
  }
  let refused = false;
  for (const { path, kind, readable } of candidates) {
    if (readable) continue;
    const message = describe(path, { code: 'EACCES' });
    if (kind === 'surely') {
      refused = true;
      found.problem(path, message);
    } else if (kind === 'perhaps') {
      found.note(path, message); // boot.log, for example: most likely no loss
    }
  }
  const logs = await chooseLogs(candidates.filter((candidate) => candidate.readable));
  for (const { path, facts } of logs) found.add(fileSource(path, facts), directory);
  if (logs.length === 0 && !refused) {
    found.problem(
      directory,
      `no log in directory ${place(directory)}; name another one, or the files themselves`,
      true,
    );
  }
}

/** The directory's files, and those one level down: `qmail/send/current`. */
async function candidatesIn(found: Collection, directory: string, deeper: boolean): Promise<Candidate[]> {
  const candidates: Candidate[] = [];
  for (const name of (await readdir(directory)).sort()) {
    const kind = classOfName(name);
    if (kind === 'never') continue;
    const path = join(directory, name);
    const facts = await stat(path).catch(() => null); // gone, or a link to nowhere
    if (facts === null) continue;
    if (facts.isFile()) {
      const readable = await access(path, constants.R_OK).then(
        () => true,
        () => false,
      );
      candidates.push({ path, facts, kind, readable });
    } else if (facts.isDirectory() && deeper) {
      try {
        candidates.push(...(await candidatesIn(found, path, false)));
      } catch {
        found.note(
          path,
          `not looked into: ${place(path)}: permission denied; name it as root if mail logs are in it`,
        );
      }
    }
  }
  return candidates;
}

/** Names first; what a name leaves open, the first lines decide. */
async function chooseLogs(candidates: readonly Candidate[]): Promise<Candidate[]> {
  const chosen: Candidate[] = [];
  for (const candidate of candidates) if (await isLog(candidate)) chosen.push(candidate);
  if (chosen.length > 0) return withoutCopies(chosen);
  // qmail's lines without any stamp, for example
  const named = candidates.filter(({ kind }) => kind === 'perhaps');
  if (named.length > 0) return named;
  for (const candidate of candidates) {
    if (candidate.kind === 'unknown' && looksLikeLog(await headOf(candidate), 'first'))
      chosen.push(candidate);
  }
  return chosen;
}

/**
 * rsyslog writes mail to `mail.log` and, as everything else, to `syslog` or `messages`; `mail.warn` and `mail.err` hold
 * lines of `mail.log` once more. Beside a mail log of the same folder they would count everything twice.
 */
function withoutCopies(chosen: readonly Candidate[]): Candidate[] {
  const withMailLog = new Set(
    chosen.filter(({ path }) => MAIL_LOG.test(basename(path))).map(({ path }) => dirname(path)),
  );
  return chosen.filter(
    ({ path }) => !withMailLog.has(dirname(path)) || !COPY_OF_MAIL_LOG.test(basename(path)),
  );
}

const MAIL_LOG = /^(mail\.log|maillog|mail\.info)/;
const COPY_OF_MAIL_LOG = /^(syslog|messages|mail\.(warn|err|warning|error))/;

async function isLog(candidate: Candidate): Promise<boolean> {
  if (candidate.kind === 'surely') return true;
  if (candidate.kind === 'json') return looksLikeJsonLog(await headOf(candidate));
  if (candidate.kind !== 'perhaps') return false;
  const head = await headOf(candidate);
  // A damaged archive, or one whose tool is missing: take it, so that reading it says so.
  return looksLikeLog(head, 'any') || (head.length === 0 && candidate.facts.size > 0);
}

async function headOf({ path, facts }: Candidate): Promise<Uint8Array> {
  return (await probe(fileSource(path, facts))).head;
}

function place(path: string): string {
  return path === '-' ? 'standard input' : printable(path);
}

function kindOf(facts: Stats): string {
  if (facts.isSocket()) return 'socket';
  return facts.isBlockDevice() || facts.isCharacterDevice() ? 'device' : 'special file';
}

function isMissing(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'ENOENT' || code === 'ENOTDIR';
}
