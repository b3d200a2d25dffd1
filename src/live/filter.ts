/**
 * What a filter of the live view finds: an address, a domain, an IP address or a queue id, or a part of one.
 *
 * Owns the test on lives that are still pending, where making the chain's text would cost too much.
 */
import type { Life } from '../chains/life.ts';
import { messageLives } from '../chains/view.ts';

export class Filter {
  /** As it was typed. */
  readonly text: string;
  readonly #needle: string;
  readonly #pattern: RegExp;

  constructor(text: string) {
    this.text = text;
    this.#needle = text.toLowerCase();
    this.#pattern = new RegExp(text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'), 'i');
  }

  /** `words` in lower case, as entry.ts makes them. */
  fits(words: string): boolean {
    return words.includes(this.#needle);
  }

  fitsLife(root: Life): boolean {
    for (const life of messageLives(root)) {
      if (this.#has(life)) return true;
      for (const { child } of life.dsns) if (child !== null && this.#has(child)) return true;
    }
    return false;
  }

  #has(life: Life): boolean {
    const pattern = this.#pattern;
    if (pattern.test(life.id) || (life.qp >= 0 && pattern.test(String(life.qp)))) return true;
    const { reversePath, clientIp, clientName, authUser, messageId } = life;
    for (const word of [reversePath === '' ? '<>' : reversePath, clientIp, clientName, authUser, messageId]) {
      if (word !== null && pattern.test(word)) return true;
    }
    for (const { address, original, relay } of life.recipients) {
      if (pattern.test(address) || (original !== null && pattern.test(original))) return true;
      if (relay !== null && pattern.test(relay)) return true;
    }
    return false;
  }
}
