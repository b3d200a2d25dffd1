/**
 * Where results go: standard output or `-o FILE`, with back-pressure.
 */

import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';

export class Output {
  readonly #stream: NodeJS.WritableStream;
  readonly #isFile: boolean;
  #failure: Error | null = null;
  #pieces: string[] = [];
  #size = 0;

  constructor(path: string | null) {
    this.#isFile = path !== null && path !== '-';
    this.#stream = this.#isFile ? createWriteStream(path as string) : process.stdout;
    if (this.#isFile) {
      this.#stream.on('error', (error: NodeJS.ErrnoException) => {
        // A failed write does not know of what.
        error.path ??= path as string;
        this.#failure ??= error;
      });
    }
  }

  /** Keeps text until there is enough of it for one write: a write per chain costs more than the chain. */
  add(text: string): void {
    this.#pieces.push(text);
    this.#size += text.length;
  }

  get full(): boolean {
    return this.#size > 1 << 18;
  }

  /** Hands over what was added; waits for a slow reader. */
  async flush(): Promise<void> {
    if (this.#failure !== null) throw this.#failure;
    if (this.#size === 0) return;
    const text = this.#pieces.join('');
    this.#pieces = [];
    this.#size = 0;
    if (this.#stream.write(text)) return;
    const over = new AbortController();
    const { signal } = over;
    try {
      await Promise.race([once(this.#stream, 'drain', { signal }), once(this.#stream, 'close', { signal })]);
    } finally {
      // The other listener would stay, one more for every wait.
      over.abort();
    }
  }

  async close(): Promise<void> {
    await this.flush();
    if (!this.#isFile) return;
    this.#stream.end();
    await finished(this.#stream as NodeJS.WriteStream);
    if (this.#failure !== null) throw this.#failure;
  }
}
