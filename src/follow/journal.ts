/**
 * The systemd journal's mail lines, by journalctl(1).
 *
 * Owns the child process, and going on behind the last entry when it ends. Must not know what an entry says, only its
 * cursor.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { OnNotice } from './inputs.ts';

/** Facility 2 is mail (RFC 5424 section 6.2.1): Postfix, sendmail and splogger log with it. */
const ARGUMENTS = [
  '--follow',
  '--output=json',
  '--no-pager',
  '--output-fields=MESSAGE,SYSLOG_IDENTIFIER,SYSLOG_PID,_PID,_HOSTNAME,_SOURCE_REALTIME_TIMESTAMP',
];
const FILTER = 'SYSLOG_FACILITY=2';
const CURSOR = /"__CURSOR" ?: ?"([^"]+)"/g;
const AGAIN_AFTER = 1_000;

export interface Journal {
  readonly blocks: AsyncIterable<Uint8Array>;
  readonly stop: () => void;
  /** To be told of each block when its entries are counted: what comes after them is asked for next. */
  readonly taken: (block: Uint8Array) => void;
  /** The cursor of the last entry that was taken; null before the first. */
  readonly cursor: string | null;
}

/** Whether there is a journalctl(1) to ask. */
export function hasJournal(): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn('journalctl', ['--version'], { stdio: 'ignore' });
    child.on('error', () => resolve(false));
    child.on('exit', (status) => resolve(status === 0));
  });
}

/** New entries, and before them those behind `cursor`; without one, with `history`, all that are kept. */
export function followJournal(history: boolean, onNotice: OnNotice, cursor: string | null = null): Journal {
  let child: ChildProcess | null = null;
  let stopped = false;
  const reader = new CursorReader(cursor);
  async function* blocks(): AsyncGenerator<Uint8Array, void, void> {
    for (let first = true; !stopped; first = false) {
      const from =
        reader.cursor === null
          ? [`--lines=${history && first ? 'all' : '0'}`]
          : [`--after-cursor=${reader.cursor}`];
      child = spawn('journalctl', [...ARGUMENTS, ...from, FILTER], { stdio: ['ignore', 'pipe', 'pipe'] });
      let said = '';
      child.stderr?.on('data', (data: Buffer) => {
        said = (said + data.toString()).slice(-500);
      });
      const failed = new Promise<string | null>((resolve) => {
        child?.on('error', (error) => resolve(error.message));
        child?.on('exit', () => resolve(null));
      });
      try {
        for await (const block of child.stdout as AsyncIterable<Buffer>) {
          yield block;
        }
      } catch (error) {
        if (!stopped) throw error;
      }
      const reason = (await failed) ?? said.trim().split('\n').at(-1) ?? '';
      if (stopped) return;
      // Its last words may be half an entry, which comes again.
      if (reader.forgetHalf()) yield Buffer.from('\n');
      onNotice(`journalctl ended${reason === '' ? '' : `: ${reason}`}; starting it again`);
      await sleep(AGAIN_AFTER);
    }
  }
  return {
    blocks: blocks(),
    stop: () => {
      stopped = true;
      child?.kill();
    },
    taken: (block) => reader.take(block),
    get cursor() {
      return reader.cursor;
    },
  };
}

/** Keeps the cursor of the last whole entry. */
class CursorReader {
  cursor: string | null;
  #rest = '';

  constructor(cursor: string | null) {
    this.cursor = cursor;
  }

  /** Whether there was the beginning of an entry. */
  forgetHalf(): boolean {
    const was = this.#rest !== '';
    this.#rest = '';
    return was;
  }

  take(block: Uint8Array): void {
    const text = this.#rest + Buffer.from(block.buffer, block.byteOffset, block.length).toString('latin1');
    const end = text.lastIndexOf('\n');
    this.#rest = text.slice(end + 1);
    const whole = end < 0 ? '' : text.slice(Math.max(0, text.lastIndexOf('\n', end - 1)), end);
    for (const match of whole.matchAll(CURSOR)) this.cursor = match[1];
  }
}
