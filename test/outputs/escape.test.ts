import fc from 'fast-check';
import { expect, test } from 'vitest';
import { csvCell, htmlText, jsonText, printable } from '../../src/outputs/escape.ts';
import { ACTIVE, HOSTILE } from './examples.ts';

test('printable spells out what acts on a terminal', () => {
  expect(printable('\x1b[31m\x07\x7f\x9b')).toBe('\\x1b[31m\\x07\\x7f\\x9b');
  expect(printable('a\r\n\tb\0')).toBe('a\\r\\n\\tb\\x00');
});

test('printable shows bidi controls, line separators and zero-width characters', () => {
  expect(printable('\u202Ea\u2066\u2028\u2029\u200b\u200d\ufeff')).toBe(
    '\\u{202e}a\\u{2066}\\u{2028}\\u{2029}\\u{200b}\\u{200d}\\u{feff}',
  );
  expect(printable('\u{e0041}')).toBe('\\u{e0041}');
});

test('printable replaces lone surrogates and leaves pairs and other letters alone', () => {
  expect(printable('\ud800x\udc00')).toBe('\ufffdx\ufffd');
  expect(printable('grüße 拒否 😀 e\u0301 C:\\x')).toBe('grüße 拒否 😀 e\u0301 C:\\x');
});

test('no text whatever comes through printable with anything active in it', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const seen = printable(text);
      expect(seen).not.toMatch(ACTIVE);
      expect(seen).not.toMatch(/[\r\n]/);
    }),
  );
});

test('cells that a spreadsheet would run begin with an apostrophe', () => {
  for (const text of [
    '=cmd()',
    '+1+1',
    '-2+3',
    '@SUM(A1)',
    ' =1',
    '＝1',
    '-',
    '+49 30 1',
    '-dash@example.com',
  ]) {
    expect(csvCell(text)).toBe(`'${text}`);
  }
  expect(csvCell('\t=1')).toBe("'\\t=1");
  expect(csvCell('\rx')).toBe("'\\rx");
});

test('plain numbers stay numbers and harmless cells stay as they are', () => {
  for (const text of ['0', '-5', '+3', '-1.25', '3418', '', 'a=b', 'b@example.net', '550 5.1.1']) {
    expect(csvCell(text)).toBe(text);
  }
});

test('htmlText leaves no markup and no way out of an attribute', () => {
  expect(htmlText('<a href="x" y=\'z\'>&')).toBe('&lt;a href=&quot;x&quot; y=&#39;z&#39;&gt;&amp;');
  expect(htmlText(HOSTILE)).not.toMatch(/[<>"']/);
  expect(htmlText(HOSTILE)).not.toMatch(ACTIVE);
});

test('jsonText loses nothing and holds nothing active', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.constantFrom(0, 2), (text, indent) => {
      const json = jsonText({ text }, indent);
      expect(JSON.parse(json)).toEqual({ text });
      expect(json).not.toMatch(ACTIVE);
    }),
  );
  expect(JSON.parse(jsonText([HOSTILE, '\u{e0041}']))).toEqual([HOSTILE, '\u{e0041}']);
});
