/**
 * What stands before an MTA's own text on a log line: stamp, host, tag, pid.
 *
 * Owns the vocabulary between `lines/` (who fills a head) and `parsers/` (who read the text behind it).
 * Knows no MTA's text, only the names of the programs that write it.
 */

/** The family of program that wrote a line, from its tag alone; the text decides where the tag cannot. */
export type Program = 'postfix' | 'sendmail' | 'qmail' | 'spf' | 'other' | 'unknown';

/**
 * A syslog tag, interned: equal tags are the same object, so that parsers may compare by identity.
 * `postfix-out/submission/smtpd` has `instance` "postfix-out" and `daemon` "smtpd".
 */
export interface Tag {
  /** As printed, without pid and colon. Empty when the line has none (multilog, bare text). */
  readonly text: string;
  readonly program: Program;
  /** Last component, lower case: "smtpd", "qmgr"; "" when the tag has no slash (RFC 5424 by rsyslog cuts it off). */
  readonly daemon: string;
  /** First component ("postfix", "postfix-out"), "" for other programs. */
  readonly instance: string;
  /**
   * qmail: what the numbers of deliveries are counted from, so that those of two qmail-sends do not meet; 0 for the usual
   * names. It follows from the tag's text alone.
   */
  readonly deliveries: number;
  /** Small number of the tag, for tables: 0 is the missing tag. */
  readonly number: number;
}

/** More than a qmail-send counts: what tells the deliveries of two apart is a multiple of it. */
export const DELIVERIES_APART = 2 ** 32;

const EMPTY = new Uint8Array(0);

/** The tag of a line that has none. */
export const NO_TAG: Tag = {
  text: '',
  program: 'unknown',
  daemon: '',
  instance: '',
  deliveries: 0,
  number: 0,
};

/** No stamp could be read; the line cannot be placed in time. */
export const NO_INSTANT = Number.NaN;

export const REPEAT_NONE = 0;
/** `last message repeated N times`: the previous line of this file, N more times. No text of its own. */
export const REPEAT_LAST = 1;
/** `message repeated N times: [ text]`: the text range is what stands in the brackets, N more times. */
export const REPEAT_TEXT = 2;

/** One reused object: the head of the line at hand. Offsets are into `bytes`. */
export class LineHead {
  /** The buffer that holds the text; not the file's own where a wrapper (JSON) had to be decoded. */
  bytes: Uint8Array = EMPTY;
  /** Milliseconds since the epoch, UTC, with the log's own precision as fraction; NaN when unknown. */
  instant: number = NO_INSTANT;
  /** Number of the host in the reader's host list; 0 when the line names none. */
  host = 0;
  tag: Tag = NO_TAG;
  pid = 0;
  /** First byte of the MTA's own text, and the byte after its last (CR, trailing blanks and NUL cut off). */
  textStart = 0;
  textEnd = 0;
  repeat: typeof REPEAT_NONE | typeof REPEAT_LAST | typeof REPEAT_TEXT = REPEAT_NONE;
  /** How many more times, with `repeat`; 0 otherwise. */
  times = 0;
  /**
   * splogger's own decimal stamp as a number (seconds), 0 when there is none. A continuation record
   * (`1795226267.923730+rest`) has `continuation` set and the rest as its text.
   */
  sploggerStamp = 0;
  continuation = false;

  /** Of a new line, of which nothing but its bytes and its stamp is known; the text range is the caller's. */
  begin(bytes: Uint8Array, instant: number): void {
    this.bytes = bytes;
    this.instant = instant;
    this.host = 0;
    this.tag = NO_TAG;
    this.pid = 0;
    this.repeat = REPEAT_NONE;
    this.times = 0;
    this.sploggerStamp = 0;
    this.continuation = false;
  }
}
