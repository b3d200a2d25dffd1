// Pseudo-random numbers with a fixed seed (sfc32): the same seed writes the same log, byte for byte, on every machine.

/** Twelve bits as three digits, by table: small enough for the cache, and far faster than toString(16).padStart(). */
const LOWER = Array.from({ length: 4096 }, (_, n) => n.toString(16).padStart(3, '0'));
const UPPER = LOWER.map((digits) => digits.toUpperCase());
const LOWER_PAIR = Array.from({ length: 256 }, (_, n) => n.toString(16).padStart(2, '0'));
const UPPER_PAIR = LOWER_PAIR.map((digits) => digits.toUpperCase());

/** @param {number} n unsigned 32-bit */
export const hex8 = (n) => LOWER_PAIR[n >>> 24] + LOWER[(n >>> 12) & 4095] + LOWER[n & 4095];

/** @param {number} n unsigned 32-bit */
export const hex8Upper = (n) => UPPER_PAIR[n >>> 24] + UPPER[(n >>> 12) & 4095] + UPPER[n & 4095];

/** @param {number} n below 2^20 */
export const hex5Upper = (n) => UPPER_PAIR[n >>> 12] + UPPER[n & 4095];

/** @param {number} seed */
export function makeRandom(seed) {
  let a = 0x9e3779b9 ^ seed;
  let b = 0x243f6a88;
  let c = 0xb7e15162;
  let counter = 1;

  function bits() {
    const t = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + t) | 0;
    return t >>> 0;
  }
  for (let i = 0; i < 16; i++) bits();

  const unit = () => bits() / 4294967296;
  return {
    /** Unsigned 32-bit integer. */
    bits,
    /** In [0, 1). */
    unit,
    /** Integer in [0, n). */
    below: (/** @type {number} */ n) => Math.floor(unit() * n),
    /** Is true with this probability. */
    chance: (/** @type {number} */ p) => unit() < p,
    /** Integer in [0, n), small ones far more often: the few busy senders and domains of a real log. */
    tailed: (/** @type {number} */ n) => {
      const u = unit();
      return Math.floor(n * u * u * u);
    },
    /** Waiting time until the next of independent events, mean as given. */
    exponential: (/** @type {number} */ mean) => -Math.log(1 - unit()) * mean,
    /** @template T @param {readonly T[]} list */
    pick: (list) => list[Math.floor(unit() * list.length)],
  };
}
/** @typedef {ReturnType<typeof makeRandom>} Random */
