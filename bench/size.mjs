// Sizes on the command line, decimal as in MB/s: 1G is 10^9 bytes.

const UNITS = { '': 1, K: 1e3, M: 1e6, G: 1e9 };

/** @param {string} text such as `256M` @returns {number} bytes; NaN when it is no size */
export function parseSize(text) {
  const match = /^(\d+(?:\.\d+)?)([KMG]?)$/.exec(text);
  return match
    ? Math.round(Number(match[1]) * UNITS[/** @type {keyof typeof UNITS} */ (match[2])])
    : Number.NaN;
}
