/**
 * Small predicates and readers over byte ranges, shared by everything that reads the head of a line.
 *
 * Owns no state and knows no format.
 */

export const NUL = 0x00;
export const TAB = 0x09;
export const NEWLINE = 0x0a;
export const ESCAPE = 0x1b;
export const SPACE = 0x20;
export const QUOTE = 0x22; // "
export const PLUS = 0x2b; // +
export const COMMA = 0x2c; // ,
export const DASH = 0x2d; // -
export const DOT = 0x2e; // .
export const SLASH = 0x2f; // /
export const ZERO = 0x30; // 0
export const NINE = 0x39; // 9
export const COLON = 0x3a; // :
export const LESS = 0x3c; // <
export const GREATER = 0x3e; // >
export const AT = 0x40; // @
export const UPPER_T = 0x54; // T
export const UPPER_Z = 0x5a; // Z
export const BRACKET_OPEN = 0x5b; // [
export const BACKSLASH = 0x5c;
export const BRACKET_CLOSE = 0x5d; // ]
export const UNDERSCORE = 0x5f; // _
export const BRACE_OPEN = 0x7b; // {
export const PIPE = 0x7c; // |

/** Value of a hexadecimal digit by its byte, -1 for every other byte. */
export const HEX = new Int8Array(256).fill(-1);
for (let value = 0; value < 16; value++) {
  HEX[value.toString(16).charCodeAt(0)] = value;
  HEX[value.toString(16).toUpperCase().charCodeAt(0)] = value;
}

/** The bytes of a constant, for `startsWith`. */
export function needle(text: string): Uint8Array {
  return Buffer.from(text, 'latin1');
}

export function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= NINE;
}

export function isBlank(byte: number): boolean {
  return byte === SPACE || byte === TAB;
}

export function isLetter(byte: number): boolean {
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x7a;
}

export function skipBlanks(bytes: Uint8Array, at: number, end: number): number {
  while (at < end && isBlank(bytes[at])) at++;
  return at;
}

/** End of the word that begins at `at`: the next blank, or `end`. */
export function wordEnd(bytes: Uint8Array, at: number, end: number): number {
  while (at < end && !isBlank(bytes[at])) at++;
  return at;
}

export function digitsEnd(bytes: Uint8Array, at: number, end: number): number {
  while (at < end && isDigit(bytes[at])) at++;
  return at;
}

export function startsWith(bytes: Uint8Array, at: number, end: number, prefix: Uint8Array): boolean {
  if (end - at < prefix.length) return false;
  for (let i = 0; i < prefix.length; i++) if (bytes[at + i] !== prefix[i]) return false;
  return true;
}

/** The number in `bytes[at, end)`, or -1 when that range is empty or holds anything but digits. */
export function decimal(bytes: Uint8Array, at: number, end: number): number {
  if (at >= end) return -1;
  let value = 0;
  for (; at < end; at++) {
    const byte = bytes[at];
    if (!isDigit(byte)) return -1;
    value = value * 10 + (byte - ZERO);
  }
  return value;
}

/** Two digits as a number, or -1. */
export function twoDigits(bytes: Uint8Array, at: number): number {
  const tens = bytes[at] - ZERO;
  const ones = bytes[at + 1] - ZERO;
  // Written so that `undefined` past the end of the buffer (NaN) is refused as well.
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : -1;
}

/**
 * The end of a line without what is not its text: CR, blanks, NULs and other control characters, and the empty
 * columns of a spreadsheet (a run of three or more commas; one or two may be the MTA's own).
 */
export function trimmedEnd(bytes: Uint8Array, start: number, end: number): number {
  end = withoutControls(bytes, start, end);
  if (bytes[end - 1] !== COMMA) return end;
  let commas = end;
  while (commas > start && bytes[commas - 1] === COMMA) commas--;
  return end - commas >= 3 ? withoutControls(bytes, start, commas) : end;
}

function withoutControls(bytes: Uint8Array, start: number, end: number): number {
  while (end > start && bytes[end - 1] <= SPACE) end--;
  return end;
}
