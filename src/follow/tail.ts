/**
 * One log file, followed by its name as `tail -F` does: what is appended, across rotation, truncation and absence.
 *
 * How it works: one handle stays open. A renamed file is read on (its writer may not know yet that it was renamed)
 * while the new file of that name is read, too. A file that became shorter, or begins with other bytes than before,
 * was truncated and is read from its start. Pieces that came and went between two looks are found beside the log, by
 * their beginnings, which no piece read so far has.
 *
 * Reads are synchronous on purpose: between "is this still the file I know" and the read nothing else runs here, and
 * the pages of a log that is being written are in memory.
 *
 * Owns handles, positions and the notices about them. Must not know lines. BUGS: what is written between the last read
 * and a truncation is lost to everybody (copytruncate in logrotate(8)); said once per file.
 */
import { closeSync, fstatSync, openSync, readSync, type Stats, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { describe } from '../source/errors.ts';
import { compressionOf } from '../source/magic.ts';
import { identityOf } from '../source/source.ts';
import { rotatedSiblings } from './siblings.ts';

/** Bytes of a beginning that are compared: no two pieces of a log with times in it begin alike for so long. */
export const BEGINNING = 4096;
export const CHUNK = 65_536;
/** How long a renamed file is read on after its last growth: daemons are told to reopen only after the rename. */
const DRAIN_QUIET = 60_000;
const ABSENCE_TOLD = 2_000;
/** How long an empty rotated file is expected to be filled. */
const NEWBORN = 60_000;
/** Beginnings of finished pieces that are remembered. */
const MOST_KNOWN = 200;

/** How far one file has been read. */
export interface PieceFacts {
  readonly number: number;
  /** dev:ino */
  readonly identity: string;
  readonly position: number;
  /** Its first bytes, as they were when they were read; BEGINNING at most, and no more than were read. */
  readonly beginning: Uint8Array;
}

export interface TailSink {
  /** The next bytes of one piece; they are valid during the call only. */
  chunk(bytes: Uint8Array, piece: number): void;
  /** No more bytes will come from this piece. */
  end(piece: number, facts: PieceFacts): void;
  /** Something that the user should know, once. */
  notice(text: string): void;
  /** How many bytes of a file that begins so were read by an earlier run. */
  readBefore?(identity: string, beginning: Uint8Array): number;
}

/** One incarnation of the name: a file with an identity of its own. */
class Piece implements PieceFacts {
  readonly number: number;
  readonly fd: number;
  readonly identity: string;
  position: number;
  /** Its first bytes, as far as they have been read, BEGINNING at most. */
  beginning: Buffer;
  /** Time of the last growth, ms of the clock that `poll` is told. */
  grewAt: number;

  constructor(number: number, fd: number, facts: Stats, position: number, now: number) {
    this.number = number;
    this.fd = fd;
    this.identity = identityOf(facts);
    this.position = position;
    this.beginning = readAt(fd, 0, Math.min(BEGINNING, position));
    this.grewAt = now;
  }
}

export class Tail {
  readonly path: string;
  readonly #sink: TailSink;
  #current: Piece | null = null;
  /** Renamed or missed pieces, oldest first. */
  #draining: Piece[] = [];
  /** Pieces whose handles failed, until their files are opened again. */
  #stale: Piece[] = [];
  /** Beginnings of pieces that were there before, or were read and closed. */
  #known: Buffer[] = [];
  #pieces = 0;
  /** Since when the name has had no file; NaN while it has one. */
  #absentSince = Number.NaN;
  #absenceSaid = false;
  #refused = '';
  #truncationSaid = false;
  #closed = false;
  /** When a name in the folder last changed, at the last search for missed pieces. */
  #folderChanged = Number.NaN;
  readonly #buffer = Buffer.allocUnsafeSlow(CHUNK);

  constructor(path: string, sink: TailSink) {
    this.path = path;
    this.#sink = sink;
    for (const sibling of rotatedSiblings(path)) {
      this.#remember(beginningOf(sibling));
    }
  }

  /** Opens the file as it is now, to be read on from `position`; returns its handle and size, null if it is not there. */
  open(now: number): { readonly fd: number; readonly size: number } | null {
    this.#current = this.#openCurrent(now);
    if (this.#current === null) return null;
    return { fd: this.#current.fd, size: fstatSync(this.#current.fd).size };
  }

  /** The first so many bytes have been read by somebody else. */
  skipTo(position: number): void {
    const piece = this.#current;
    if (piece === null) return;
    piece.position = position;
    piece.beginning = readAt(piece.fd, 0, Math.min(BEGINNING, position));
  }

  /** Bytes that are there and unread. */
  get backlog(): number {
    let bytes = 0;
    for (const { fd, position } of this.#open) {
      try {
        bytes += Math.max(0, fstatSync(fd).size - position);
      } catch {
        // The next look sees that the handle has failed, and says so.
      }
    }
    return bytes;
  }

  /** What is being read, oldest first. */
  get pieces(): readonly PieceFacts[] {
    return [...this.#stale, ...this.#open];
  }

  /** Whether a file is, was, or stood beside one of these: by its inode, or by its first bytes. */
  has(identity: string, beginning: Uint8Array): boolean {
    return (
      this.pieces.some((piece) => piece.identity === identity || sameBeginning(beginning, piece.beginning)) ||
      this.#known.some((known) => sameBeginning(beginning, known))
    );
  }

  get #open(): readonly Piece[] {
    return this.#current === null ? this.#draining : [...this.#draining, this.#current];
  }

  /** Hands over one chunk at most; false when there is nothing more for now. `now` in ms, of any steady clock. */
  poll(now: number): boolean {
    if (this.#closed) return false;
    try {
      return this.#poll(now);
    } catch (error) {
      // A handle that went stale (network file systems): the name is opened anew, and its file read on.
      this.#refuse(error);
      for (const piece of this.#open) {
        closeQuietly(piece.fd);
        this.#stale.push(piece);
      }
      this.#draining = [];
      this.#current = null;
      return false;
    }
  }

  #poll(now: number): boolean {
    for (const piece of this.#draining) if (this.#take(piece, this.#readAhead(piece), now)) return true;
    const piece = this.#current;
    if (piece === null) return this.#openNext(now);
    const length = this.#readAhead(piece);
    // Asked after the read: asked before it, what comes from behind a truncation in between would pass for what was there.
    if (this.#wasTruncated(piece)) {
      this.#startAgain(piece, now);
      return true;
    }
    if (this.#take(piece, length, now)) return true;
    if (this.#addMissed(now)) return true;
    this.#closeQuiet(now);
    if (!this.#hasMoved(piece)) return false;
    this.#draining.push(piece);
    this.#current = null;
    return this.#openNext(now);
  }

  /** Looks for what has the name now, and for what had it meanwhile. What is found is read at the next call. */
  #openNext(now: number): boolean {
    const missed = this.#addMissed(now);
    this.#current = this.#openCurrent(now);
    return missed || this.#current !== null;
  }

  close(): void {
    this.#closed = true;
    for (const piece of this.#open) this.#close(piece);
    for (const piece of this.#stale) this.#sink.end(piece.number, piece);
    this.#draining = [];
    this.#stale = [];
    this.#current = null;
  }

  #openCurrent(now: number): Piece | null {
    let fd: number;
    try {
      fd = openSync(this.path, 'r');
    } catch (error) {
      this.#cannotOpen(error, now);
      return null;
    }
    const facts = fstatSync(fd);
    if (facts.isDirectory()) {
      // Whoever asked for it may find logs in it; there is no file of that name.
      closeSync(fd);
      this.#cannotOpen({ code: 'ENOENT' }, now);
      return null;
    }
    if (this.#absenceSaid) this.#sink.notice(`${this.path}: is there again; following it`);
    this.#absenceSaid = false;
    this.#absentSince = Number.NaN;
    this.#refused = '';
    // Renamed away and back.
    const again = this.#draining.findIndex((piece) => piece.identity === identityOf(facts));
    if (again >= 0) {
      closeSync(fd);
      return this.#draining.splice(again, 1)[0];
    }
    return this.#begun(fd, facts, now);
  }

  /** A file that was not open until now; what was read of it before is not read again. */
  #begun(fd: number, facts: Stats, now: number): Piece {
    const head = readAt(fd, 0, BEGINNING);
    const stale = this.#stale.findIndex(({ beginning }) => sameBeginning(beginning, head));
    if (stale < 0) return this.#piece(fd, facts, this.#readBefore(facts, head), now);
    const [{ number, position }] = this.#stale.splice(stale, 1);
    return new Piece(number, fd, facts, Math.min(position, facts.size), now);
  }

  /** Where the reading of a file begins; never behind its end, which would look like a truncation. */
  #readBefore(facts: Stats, head: Buffer): number {
    const position = this.#sink.readBefore?.(identityOf(facts), head) ?? 0;
    return Math.min(position, facts.size);
  }

  #piece(fd: number, facts: Stats, position: number, now: number): Piece {
    this.#pieces += 1;
    return new Piece(this.#pieces, fd, facts, position, now);
  }

  #cannotOpen(error: unknown, now: number): void {
    if (isMissing(error)) {
      const first = Number.isNaN(this.#absentSince);
      if (first) this.#absentSince = now;
      // Between rename and create there is none for a moment: nothing to tell.
      if (this.#absenceSaid || (this.#pieces > 0 && now - this.#absentSince < ABSENCE_TOLD)) return;
      this.#absenceSaid = true;
      this.#sink.notice(`${this.path}: no such file; waiting for it`);
      return;
    }
    this.#refuse(error);
  }

  #refuse(error: unknown): void {
    const text = describe(this.path, error);
    if (text !== this.#refused) this.#sink.notice(`${text}; trying again`);
    this.#refused = text;
  }

  /** Whether the name belongs to another file now, or to none. */
  #hasMoved(piece: Piece): boolean {
    try {
      return identityOf(statSync(this.path)) !== piece.identity;
    } catch (error) {
      return isMissing(error);
    }
  }

  /** Reads what comes next into the buffer; its length. */
  #readAhead(piece: Piece): number {
    return readSync(piece.fd, this.#buffer, 0, CHUNK, piece.position);
  }

  /** Hands over what was read; false where it was nothing. */
  #take(piece: Piece, length: number, now: number): boolean {
    if (length === 0) return false;
    const bytes = this.#buffer.subarray(0, length);
    if (piece.beginning.length < BEGINNING) {
      piece.beginning = Buffer.concat([
        piece.beginning,
        bytes.subarray(0, BEGINNING - piece.beginning.length),
      ]);
    }
    piece.position += length;
    piece.grewAt = now;
    this.#sink.chunk(bytes, piece.number);
    return true;
  }

  /** Shorter than what was read of it, or beginning otherwise: emptied, and perhaps written again. */
  #wasTruncated(piece: Piece): boolean {
    if (fstatSync(piece.fd).size < piece.position) return true;
    return !piece.beginning.equals(readAt(piece.fd, 0, piece.beginning.length));
  }

  #startAgain(piece: Piece, now: number): void {
    if (!this.#truncationSaid) {
      this.#sink.notice(
        `${this.path}: was truncated; lines written just before that moment cannot be known (said once)`,
      );
    }
    this.#truncationSaid = true;
    const copy = this.#copyOf(piece);
    if (copy !== null) this.#draining.push(copy);
    else this.#sink.end(piece.number, piece);
    this.#remember(piece.beginning);
    this.#current = this.#piece(piece.fd, fstatSync(piece.fd), 0, now);
    this.#addMissed(now);
  }

  /** logrotate's copytruncate copied it before: what was not read yet stands in the newest file that begins so. */
  #copyOf(piece: Piece): Piece | null {
    let newest: { path: string; mtime: number } | null = null;
    for (const path of rotatedSiblings(this.path)) {
      const beginning = beginningOf(path);
      if (!beginning.subarray(0, piece.beginning.length).equals(piece.beginning)) continue;
      const facts = statSync(path, { throwIfNoEntry: false });
      if (facts === undefined || facts.size <= piece.position) continue;
      if (newest === null || facts.mtimeMs > newest.mtime) newest = { path, mtime: facts.mtimeMs };
    }
    if (newest === null || piece.position === 0) return null;
    try {
      const fd = openSync(newest.path, 'r');
      return new Piece(piece.number, fd, fstatSync(fd), piece.position, piece.grewAt);
    } catch {
      return null;
    }
  }

  /** Pieces that were made and renamed since the last look: multilog does many a second when it is busy. */
  #addMissed(now: number): boolean {
    const changed = statSync(dirname(this.path), { throwIfNoEntry: false })?.mtimeMs ?? Number.NaN;
    if (changed === this.#folderChanged) return false;
    this.#folderChanged = changed;
    const found: { piece: Piece; mtime: number }[] = [];
    for (const path of rotatedSiblings(this.path)) {
      const beginning = beginningOf(path);
      if (compressionOf(beginning) !== 'none') continue;
      if (this.#known.some((known) => sameBeginning(known, beginning))) continue;
      if (this.#open.some((piece) => sameBeginning(piece.beginning, beginning))) continue;
      if (sameBeginning(beginningOf(this.path), beginning)) {
        // logrotate's copytruncate has copied the log and is about to empty it: who is faster is seen at the next look.
        this.#folderChanged = Number.NaN;
        continue;
      }
      try {
        const fd = openSync(path, 'r');
        const facts = fstatSync(fd);
        const isOpen = this.#open.some((piece) => piece.identity === identityOf(facts));
        const isNewborn = facts.size === 0 && Date.now() - facts.mtimeMs < NEWBORN;
        // Its late writer, or cp(1), is about to fill it: then it can be told what it is.
        if (isNewborn && !isOpen) this.#folderChanged = Number.NaN;
        if (isOpen || beginning.length === 0) closeSync(fd);
        else
          found.push({
            piece: this.#begun(fd, facts, now),
            mtime: facts.mtimeMs,
          });
      } catch {
        // Gone again: multilog keeps only so many.
      }
    }
    found.sort((a, b) => a.mtime - b.mtime || a.piece.number - b.piece.number);
    this.#draining.push(...found.map(({ piece }) => piece));
    return found.length > 0;
  }

  #closeQuiet(now: number): void {
    if (this.#draining.length === 0) return;
    const quiet = this.#draining.filter((piece) => now - piece.grewAt > DRAIN_QUIET);
    for (const piece of quiet) this.#close(piece);
    if (quiet.length > 0) this.#draining = this.#draining.filter((piece) => !quiet.includes(piece));
  }

  #close(piece: Piece): void {
    closeQuietly(piece.fd);
    this.#remember(piece.beginning);
    this.#sink.end(piece.number, piece);
  }

  #remember(beginning: Buffer): void {
    if (beginning.length === 0) return;
    this.#known.push(beginning);
    if (this.#known.length > MOST_KNOWN) this.#known.shift();
  }
}

/** A stale handle is gone already. */
function closeQuietly(fd: number): void {
  try {
    closeSync(fd);
  } catch {
    // As said.
  }
}

function isMissing(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' || code === 'ENOTDIR';
}

function readAt(fd: number, position: number, length: number): Buffer {
  const buffer = Buffer.allocUnsafeSlow(length);
  let have = 0;
  while (have < length) {
    const n = readSync(fd, buffer, have, length - have, position + have);
    if (n === 0) break;
    have += n;
  }
  return buffer.subarray(0, have);
}

function beginningOf(path: string): Buffer {
  try {
    const fd = openSync(path, 'r');
    try {
      return readAt(fd, 0, BEGINNING);
    } finally {
      closeSync(fd);
    }
  } catch {
    return Buffer.alloc(0);
  }
}

/** The shorter one is how the longer one begins: a piece that has grown since is still that piece. */
function sameBeginning(a: Uint8Array, b: Uint8Array): boolean {
  const length = Math.min(a.length, b.length);
  return length > 0 && Buffer.compare(a.subarray(0, length), b.subarray(0, length)) === 0;
}
