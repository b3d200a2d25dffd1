/**
 * What must hold when a log begins in the middle of a story.
 *
 * Judges by the text of the lines alone: which of them name an id, and which begin a message. Must not know how the
 * program joins them.
 */
import type { Chain } from '../../src/chains/chain.ts';
import type { Answer } from './answer.ts';
import { printChains } from './notation.ts';

/** The line with which the MTA says that it took a message (log-formats.md 3.3, 4.2, 5.1). */
function beginning(mta: Chain['mta'], id: string): RegExp {
  switch (mta) {
    case 'sendmail':
      return new RegExp(`\\b${id}(\\[1\\])?: from=`);
    case 'postfix':
      return new RegExp(`\\b${id}: (client|uid)=`);
    case 'qmail':
      return new RegExp(`info msg ${id}: `);
  }
}

export class Starts {
  readonly #lines: readonly string[];
  readonly #whole: readonly Chain[];
  /** Words of each line; ids are words. */
  readonly #words: readonly ReadonlySet<string>[];

  constructor(log: Uint8Array, whole: Answer) {
    this.#lines = Buffer.from(log).toString('latin1').split('\n').slice(0, -1);
    this.#whole = whole.chains;
    this.#words = this.#lines.map((line) => new Set(line.match(/[0-9A-Za-z]+/g) ?? []));
  }

  get count(): number {
    return this.#lines.length;
  }

  /** The log without its first lines. */
  from(line: number): Buffer {
    return Buffer.from(
      this.#lines
        .slice(line)
        .map((text) => `${text}\n`)
        .join(''),
      'latin1',
    );
  }

  /** What is wrong with the answer to the log from this line on; empty when nothing is. */
  faults(line: number, answer: Answer): string[] {
    const faults: string[] = [];
    if (answer.report.input.lines !== this.#lines.length - line)
      faults.push(`${answer.report.input.lines} lines`);
    for (const chain of answer.chains) {
      if (chain.headless) continue;
      if (!this.#hasBeginning(chain, line))
        faults.push(`it has no beginning here: ${printChains([chain], [])}`);
      else if (this.#isRest(chain, line))
        faults.push(`it is the rest of a message: ${printChains([chain], [])}`);
    }
    const left = answer.chains.map((chain) => printChains([chain], []));
    for (const chain of this.#whole) {
      if (this.#firstMention(chain) < line) continue;
      const printed = printChains([chain], []);
      const at = left.indexOf(printed);
      if (at < 0) faults.push(`it has all its lines, and became another: ${printed}`);
      else left.splice(at, 1);
    }
    return faults;
  }

  #hasBeginning(chain: Chain, from: number): boolean {
    const begins = beginning(chain.mta, chain.queue_id);
    return this.#lines.slice(from).some((line) => begins.test(line));
  }

  /** In the whole log it was a later id of a message, and a line that says so is still there. */
  #isRest(chain: Chain, from: number): boolean {
    for (const whole of this.#whole) {
      const place = whole.queue_ids.indexOf(chain.queue_id);
      if (place <= 0 || whole.mta !== chain.mta) continue;
      if (this.#whole.some((other) => other.queue_id === chain.queue_id)) continue; // the id came again
      const before = whole.queue_ids.slice(0, place);
      const forward = `qp_${chain.qp}/`;
      for (let i = from; i < this.#lines.length; i += 1) {
        if (whole.mta === 'qmail') {
          if (this.#lines[i].includes(forward)) return true;
        } else if (before.some((id) => this.#words[i].has(id))) return true;
      }
    }
    return false;
  }

  /** First line with an id of the chain, or of a process that handles it without naming one. */
  #firstMention(chain: Chain): number {
    const ids = new Set([
      ...chain.queue_ids,
      ...chain.dsns.flatMap((dsn) => [dsn.queue_id, dsn.parent_queue_id]),
    ]);
    if (chain.qp !== undefined) ids.add(String(chain.qp));
    const named = this.#words.map((words) => [...ids].some((id) => id !== null && words.has(id)));
    const pids = new Set(this.#lines.flatMap((line, i) => (named[i] ? (line.match(/\[\d+\]: /) ?? []) : [])));
    return this.#lines.findIndex(
      (line, i) => named[i] || (line.includes('NOQUEUE') && [...pids].some((pid) => line.includes(pid))),
    );
  }
}
