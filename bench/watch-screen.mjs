// The program in a terminal of its own (script(1)), and what it shows there.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The program in a terminal, and the rows that it shows. */
export class Screen {
  frames = 0;
  bytes = 0;
  /** RSS in kB, one a second. */
  samples = [];
  #rows = [];
  #rest = '';
  #waiting = null;
  #timer;
  #pidFile;

  /** @param {string[]} args @param {string} folder @param {any} options */
  constructor(args, folder, { columns, rows, program, flags }) {
    const pid = join(folder, 'pid');
    const words = [process.execPath, ...flags.split(' ').filter(Boolean), program, ...args]
      .map((word) => `'${word}'`)
      .join(' ');
    const line = `stty rows ${rows} cols ${columns}; echo $$ > '${pid}'; exec ${words}`;
    this.child = spawn('script', ['-qefc', line, '/dev/null'], {
      cwd: folder,
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, TERM: 'xterm-256color', SHELL: '/bin/sh' },
    });
    this.child.stdout.setEncoding('utf8').on('data', (text) => this.#take(text));
    this.ended = new Promise((resolve) => this.child.once('close', resolve));
    this.#pidFile = pid;
    this.#timer = setInterval(() => this.#sample(), 1000);
  }

  get text() {
    return this.#rows.map((row) => row ?? '').join('\n');
  }

  /** Process id of the program; 0 before it began. */
  get pid() {
    return existsSync(this.#pidFile) ? Number(readFileSync(this.#pidFile, 'latin1')) : 0;
  }

  /** Seconds of processor time so far. */
  get cpu() {
    const fields = readFileSync(`/proc/${this.pid}/stat`, 'latin1').split(') ')[1].split(' ');
    return (Number(fields[11]) + Number(fields[12])) / 100;
  }

  /** Milliseconds for which its main thread was ready to run, but others had the processors. */
  get waited() {
    return Number(readFileSync(`/proc/${this.pid}/schedstat`, 'latin1').split(' ')[1]) / 1e6;
  }

  /** @param {string} key */
  key(key) {
    this.child.stdin.write(key);
  }

  /** Waits for a frame that fits. @param {(text: string) => boolean} fits @param {number} ms */
  async until(fits, ms) {
    if (fits(this.text)) return true;
    await new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`it does not come within ${ms} ms; the screen is\n${this.text}`)),
        ms,
      );
      this.#waiting = () => {
        if (!fits(this.text)) return;
        clearTimeout(timer);
        this.#waiting = null;
        resolve(true);
      };
    });
    return true;
  }

  async quit() {
    clearInterval(this.#timer);
    // Not q: a prompt may be open, which would take it for text.
    this.key('\x03');
    await this.ended;
  }

  kill() {
    clearInterval(this.#timer);
    this.child.kill();
  }

  #sample() {
    try {
      const match = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${this.pid}/status`, 'latin1'));
      if (match !== null) this.samples.push(Number(match[1]));
    } catch {
      // It has ended.
    }
  }

  /** Frames as src/screen/terminal.ts writes them: between marks, each row at its own place. @param {string} text */
  #take(text) {
    this.bytes += Buffer.byteLength(text);
    this.#rest += text;
    for (;;) {
      const end = this.#rest.indexOf('\x1b[?2026l');
      if (end < 0) return;
      const frame = this.#rest.slice(0, end);
      this.#rest = this.#rest.slice(end + 8);
      this.frames += 1;
      for (const part of frame.split(/(?=\x1b\[\d+;1H)/)) {
        const row = /^\x1b\[(\d+);1H\x1b\[2K([\s\S]*)$/.exec(part);
        if (row !== null) this.#rows[Number(row[1]) - 1] = row[2].replace(/\x1b\[[\d;]*m/g, '');
      }
      this.#waiting?.();
    }
  }
}
