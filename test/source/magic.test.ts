import { describe, expect, it } from 'vitest';
import { compressionOf } from '../../src/source/magic.ts';
import { ARCHIVES } from './archives.ts';

describe('compressionOf', () => {
  it.each(ARCHIVES)('$name as the real program writes it', ({ name, make }) => {
    expect(compressionOf(make('Nov 21 01:58:41 mx postfix/qmgr[24]: x\n'))).toBe(name);
  });

  it('skippable zstd frames, all sixteen', () => {
    for (let n = 0; n < 16; n += 1)
      expect(compressionOf(Uint8Array.of(0x50 + n, 0x2a, 0x4d, 0x18, 0, 0))).toBe('zstd');
    expect(compressionOf(Uint8Array.of(0x60, 0x2a, 0x4d, 0x18, 0, 0))).toBe('none');
  });

  it.each([
    '',
    'N',
    'Nov 21 01:58:41 mx',
    '@400000006b00fa5d05fc2484 ',
    '{"MESSAGE"',
    'BZh',
    'BZhello',
    '\x1f',
    '(\xb5/',
  ])('%j is plain', (text) => {
    expect(compressionOf(Buffer.from(text, 'latin1'))).toBe('none');
  });
});
