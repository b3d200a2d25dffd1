import { expect, test } from 'vitest';
import { byteSize, counted, grouped, localTime, percent } from '../../src/outputs/figures.ts';
import { displayWidth, pad, truncate, wrap } from '../../src/outputs/width.ts';

test('wide characters take two columns and combining ones none', () => {
  expect(displayWidth('abc')).toBe(3);
  expect(displayWidth('拒否')).toBe(4);
  expect(displayWidth('ｆｕ')).toBe(4);
  expect(displayWidth('한국')).toBe(4);
  expect(displayWidth('e\u0301')).toBe(1);
  expect(displayWidth('grüße…')).toBe(6);
  expect(displayWidth('😀')).toBe(2);
});

test('what is too long ends in an ellipsis within the width', () => {
  expect(truncate('abcdef', 6)).toBe('abcdef');
  expect(truncate('abcdefg', 6)).toBe('abcde…');
  expect(truncate('拒否拒否', 6)).toBe('拒否…');
  expect(truncate('abc', 0)).toBe('');
});

test('padding fills by columns, not by characters', () => {
  expect(pad('拒否', 6)).toBe('拒否  ');
  expect(pad('12', 4, 'right')).toBe('  12');
  expect(pad('拒否拒', 4)).toBe('拒… ');
});

test('wrapping keeps words whole and cuts only what is longer than a line', () => {
  expect(wrap('one two three', 7)).toEqual(['one two', 'three']);
  expect(wrap('abcdefghij x', 5)).toEqual(['abcd…', 'x']);
});

test('numbers are grouped in threes', () => {
  expect([0, 999, 1000, 1234567].map(grouped)).toEqual(['0', '999', '1,000', '1,234,567']);
  expect([counted(1, 'file'), counted(2, 'file')]).toEqual(['1 file', '2 files']);
});

test('a percentage never says none or all when that is not so', () => {
  expect([
    percent(1, 4),
    percent(0, 4),
    percent(4, 4),
    percent(1, 100000),
    percent(99999, 100000),
    percent(1, 0),
  ]).toEqual(['25.0 %', '0.0 %', '100.0 %', '<0.1 %', '>99.9 %', '']);
});

test('sizes are in decimal units', () => {
  expect([1, 999, 1000, 999_960, 1_234_567_890].map(byteSize)).toEqual([
    '1 byte',
    '999 bytes',
    '1.0 kB',
    '1.0 MB',
    '1.2 GB',
  ]);
});

test('times are shown in the zone asked for, UTC by default', () => {
  const at = '2026-07-01T06:00:01.000Z';
  expect(localTime(at)).toBe('2026-07-01 06:00:01');
  expect(localTime(at, 'Europe/Berlin')).toBe('2026-07-01 08:00:01');
  expect(localTime(at, '-03:30')).toBe('2026-07-01 02:30:01');
});
