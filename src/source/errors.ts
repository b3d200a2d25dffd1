/**
 * What can go wrong with an input, as one-line messages: what, where, what to do.
 *
 * Owns the wording and the two error types. Must not know who prints them or which exit status follows.
 */

/** Nothing (more) can be read: no permission, a disk error, a missing tool. */
export class UnreadableInput extends Error {
  readonly path: string;

  constructor(path: string, message: string) {
    super(message);
    this.name = 'UnreadableInput';
    this.path = path;
  }
}

/** A damaged or truncated archive. Thrown after its good part has been delivered. */
export class DamagedInput extends Error {
  readonly path: string;
  readonly compression: string;
  readonly reason: string;
  /** Decompressed bytes that were delivered before. */
  readonly delivered: number;

  constructor(path: string, compression: string, reason: string, delivered: number) {
    const kept =
      delivered === 0
        ? 'nothing could be read'
        : `the ${delivered} bytes before the damage were read, the rest is missing`;
    super(
      `damaged ${compression} data in ${printable(path)}: ${reason}; ${kept}: check the file or fetch it again`,
    );
    this.name = 'DamagedInput';
    this.path = path;
    this.compression = compression;
    this.reason = reason;
    this.delivered = delivered;
  }
}

/** Inside `source/`: a decoder met bytes that it cannot decode. `openBlocks` adds where. */
export class Damage extends Error {}

/** Turns what the system said about a path into a message of one line. */
export function unreadable(path: string, error: unknown): UnreadableInput {
  if (error instanceof UnreadableInput) return error;
  return new UnreadableInput(path, describe(path, error));
}

export function describe(path: string, error: unknown): string {
  const where = path === '-' ? 'standard input' : printable(path);
  const code = (error as NodeJS.ErrnoException | null)?.code;
  switch (code) {
    case 'ENOENT':
      return `no such file: ${where}; check the name`;
    case 'ENOTDIR':
      return `no such file: ${where}: a part of the path is not a directory; check the name`;
    case 'EACCES':
    case 'EPERM':
      return `cannot read ${where}: permission denied; run as root or as a member of the file's group`;
    case 'EISDIR':
      return `cannot read ${where}: it is a directory; name the files in it`;
    case 'EIO':
      return `cannot read ${where}: input/output error; check the disk`;
    case 'EMFILE':
    case 'ENFILE':
      return `cannot open ${where}: too many open files; raise the limit (ulimit -n)`;
    case 'ELOOP':
      return `cannot read ${where}: too many symbolic links; check where it points to`;
    default:
      return `cannot read ${where}: ${printable(error instanceof Error ? error.message : String(error))}`;
  }
}

/** File names may hold anything; a message may not hold line breaks or terminal escapes. */
export function printable(text: string): string {
  return text.replace(/[\x00-\x1f\x7f-\x9f]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`);
}
