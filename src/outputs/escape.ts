/**
 * Hostile text, made harmless for each medium. Log text is written by whoever talks to port 25.
 *
 * Owns what may reach a terminal, a CSV cell, HTML and JSON. Knows no report and no chain.
 */

/**
 * What a reader would not see, or would see somewhere else: controls (Cc), format characters (Cf: bidi, zero-width,
 * soft hyphen, tags), line and paragraph separators, lone surrogates, and letters that are blank (Hangul fillers).
 */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\u115f\u1160\u3164\uffa0]/gu;

/** What most texts are; the test is several times cheaper than the replacement. */
const PLAIN = /^[\x20-\x7e]*$/;

const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/**
 * One line of visible text: ESC becomes the four characters `\x1b`, a bidi override `\u{202e}`, a lone surrogate U+FFFD.
 * Backslashes stay as they are, for reading; who needs the exact bytes takes JSON.
 */
export function printable(text: string): string {
  if (PLAIN.test(text)) return text;
  return text.replace(UNSEEN, (character) => {
    const code = character.codePointAt(0)!;
    if (code >= 0xd800 && code <= 0xdfff) return '\ufffd';
    if (SHORT[character] !== undefined) return SHORT[character];
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
  });
}

/** First characters that make a spreadsheet run the cell; the full-width ones count in East Asian locales. */
const FORMULA = /^\s*[=+\-@\uff1d\uff0b\uff0d\uff20]|^[\t\r\n]/;
const NUMBER = /^[+-]?\d+(?:\.\d+)?$/;

/** A cell's text (without CSV quoting): nothing in it is run by a spreadsheet or acts on a terminal. */
export function csvCell(text: string): string {
  if (NUMBER.test(text) || !FORMULA.test(text)) return printable(text);
  return `'${printable(text)}`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text for HTML elements and quoted attributes. */
export function htmlText(text: string): string {
  return printable(text).replace(/[&<>"']/g, (character) => ENTITIES[character]);
}

/** JSON that loses nothing and acts on no terminal: what is unseen is written `\uXXXX`. */
export function jsonText(value: unknown, indent = 0): string {
  const json = JSON.stringify(value, null, indent);
  if (PLAIN.test(json)) return json;
  // A newline can only be our own indentation here: those in strings are escaped already.
  return json.replace(UNSEEN, (character) => (character === '\n' ? character : unitEscapes(character)));
}

function unitEscapes(character: string): string {
  let escaped = '';
  for (let i = 0; i < character.length; i += 1) {
    escaped += `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`;
  }
  return escaped;
}
