/** Helpers for the tests of `lines/`: a head as plain values. */
import { Clock, type ClockOptions } from '../../src/lines/clock.ts';
import type { LineHead } from '../../src/lines/head.ts';
import { HeadParser } from '../../src/lines/head-parser.ts';
import { Names } from '../../src/lines/names.ts';
import { Tags } from '../../src/lines/tags.ts';

export interface PlainHead {
  ok: boolean;
  time: string | null;
  host: string;
  tag: string;
  program: string;
  daemon: string;
  instance: string;
  pid: number;
  text: string;
  repeat: number;
  times: number;
  sploggerStamp: number;
  continuation: boolean;
}

export const REFERENCE = Date.UTC(2026, 11, 1);

export class Reader {
  readonly hosts = new Names();
  readonly tags = new Tags();
  readonly parser: HeadParser;

  constructor(options: Partial<ClockOptions> = {}) {
    const clock = new Clock({ zone: 'UTC', year: null, reference: REFERENCE, ...options });
    this.parser = new HeadParser(clock, this.hosts, this.tags);
  }

  /** Reads a line that stands in the middle of a buffer, as it does in a file. */
  read(line: string | Uint8Array): PlainHead {
    const bytes = Buffer.concat([
      Buffer.from('before\n'),
      Buffer.from(line as string),
      Buffer.from('\nafter[1]: x\n'),
    ]);
    const ok = this.parser.parse(bytes, 7, bytes.length - 13);
    return plain(ok, this.parser.head, this.hosts);
  }
}

export function plain(ok: boolean, head: LineHead, hosts: Names): PlainHead {
  return {
    ok,
    time: Number.isFinite(head.instant) ? new Date(head.instant).toISOString() : null,
    host: hosts.text(head.host),
    tag: head.tag.text,
    program: head.tag.program,
    daemon: head.tag.daemon,
    instance: head.tag.instance,
    pid: head.pid,
    text: Buffer.from(head.bytes.subarray(head.textStart, head.textEnd)).toString('latin1'),
    repeat: head.repeat,
    times: head.times,
    sploggerStamp: head.sploggerStamp,
    continuation: head.continuation,
  };
}

export function read(line: string | Uint8Array, options: Partial<ClockOptions> = {}): PlainHead {
  return new Reader(options).read(line);
}
