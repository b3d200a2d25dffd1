import { spawn, spawnSync } from 'node:child_process';
import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { openBlocks } from '../../src/source/blocks.ts';
import { DamagedInput, UnreadableInput } from '../../src/source/errors.ts';
import { fifoSource, fileSource, streamSource } from '../../src/source/source.ts';
import { createZstd } from '../../src/source/unzstd.ts';
import { ARCHIVES, compress, logLines, readAll, source, temporaryFolder } from './archives.ts';

const { folder, file } = temporaryFolder();
const text = logLines(30_000); // 2.5 MB: several bzip2 blocks, several reads
const plain = Buffer.from(text);

const { PATH } = process.env;
afterEach(() => {
  process.env.PATH = PATH;
});

function isPrefix(bytes: Buffer): boolean {
  return plain.subarray(0, bytes.length).equals(bytes);
}

function oneLine(message: string): boolean {
  return message.length > 0 && !/[\n\r]/.test(message);
}

describe('plain files', () => {
  it.each([1, 7, 4096, 65536, 1 << 20])('come whole and in order, block size %i', async (blockSize) => {
    const some = blockSize < 4096 ? plain.subarray(0, 1000) : plain;
    const path = file('plain.log', some);
    const from = source(path);
    const { bytes, error } = await readAll(from, { blockSize });
    expect(error).toBeNull();
    expect(bytes.equals(some)).toBe(true);
    expect(from.bytesRead).toBe(some.length);
    expect(from.size).toBe(some.length);
  });

  it('an empty file has no blocks', async () => {
    expect(await readAll(source(file('empty.log', '')))).toEqual({ bytes: Buffer.alloc(0), error: null });
  });

  it('a file of one byte', async () => {
    expect((await readAll(source(file('one.log', 'x')))).bytes.toString()).toBe('x');
  });

  it('what was appended after the stat is read, too', async () => {
    const path = file('grows.log', 'one\n');
    const from = source(path);
    appendFileSync(path, 'two\n');
    expect((await readAll(from)).bytes.toString()).toBe('one\ntwo\n');
  });

  it('come in the memory that the reader has for them, but for the block that tells that it is no archive', async () => {
    const memory = Buffer.alloc(4096);
    for (const [content, isLent] of [
      [plain, true],
      [gzipSync(plain), false],
    ] as const) {
      const blocks: { lent: boolean; bytes: Buffer }[] = [];
      for await (const block of openBlocks(source(file('lent.log', content)), { memory }))
        blocks.push({ lent: block.buffer === memory.buffer, bytes: Buffer.from(block) });
      expect(Buffer.concat(blocks.map(({ bytes }) => bytes)).equals(plain)).toBe(true);
      expect(blocks.length).toBeGreaterThan(2);
      expect(blocks.map(({ lent }) => lent)).toEqual(blocks.map((_, i) => isLent && i > 0));
    }
  });

  it('can be read again', async () => {
    const from = source(file('again.log', 'again\n'));
    await readAll(from);
    expect((await readAll(from)).bytes.toString()).toBe('again\n');
    expect(from.bytesRead).toBe(6);
  });

  it('leaves no descriptor open when the reader stops early', async () => {
    const path = file('early.log', plain);
    const before = readdirSync('/proc/self/fd').length;
    for (let i = 0; i < 20; i += 1)
      for await (const _ of openBlocks(source(path), { blockSize: 4096 })) break;
    expect(readdirSync('/proc/self/fd').length).toBeLessThanOrEqual(before + 1);
  });

  it('a directory in place of a file is one clear error', async () => {
    const { error } = await readAll(fileSource(folder, statSync(folder)));
    expect(error).toBeInstanceOf(UnreadableInput);
    expect(error?.message).toBe(`cannot read ${folder}: it is a directory; name the files in it`);
  });

  it('a file that vanished, and one that may not be read', async () => {
    const facts = statSync(folder);
    const gone = await readAll(fileSource(`${folder}/gone`, facts));
    expect(gone.error?.message).toBe(`no such file: ${folder}/gone; check the name`);
    // root may read everything: /proc/self/mem fails with EIO for everybody
    const broken = await readAll(fileSource('/proc/self/mem', { ...facts, size: 100 }));
    expect(broken.error).toBeInstanceOf(UnreadableInput);
    expect(broken.error?.message).toBe('cannot read /proc/self/mem: input/output error; check the disk');
  });
});

describe.each(ARCHIVES)('$name', ({ name, make }) => {
  it('is read whole, whatever the file is called', async () => {
    const archive = make(text);
    const from = source(file(`${name}.log`, archive));
    const { bytes, error } = await readAll(from);
    expect(error).toBeNull();
    expect(bytes.equals(plain)).toBe(true);
    expect(from.bytesRead).toBe(archive.length);
  });

  it('several in one file', async () => {
    const three = Buffer.concat([make('one\n'), make(text), make('three\n')]);
    const { bytes, error } = await readAll(source(file(`${name}-three`, three)));
    expect(error).toBeNull();
    expect(bytes.toString()).toBe(`one\n${text}three\n`);
  });

  it('of nothing', async () => {
    expect(await readAll(source(file(`${name}-nothing`, make(''))))).toEqual({
      bytes: Buffer.alloc(0),
      error: null,
    });
  });

  it('by a pipe, one byte at a time', async () => {
    const archive = make(logLines(20));
    const bytes = Readable.from([...archive].map((byte) => Buffer.of(byte)));
    expect((await readAll(streamSource('-', bytes))).bytes.toString()).toBe(logLines(20));
  });

  it('cut off: the good part, then DamagedInput', async () => {
    const archive = make(text);
    const path = file(`${name}-cut`, archive.subarray(0, Math.floor(archive.length * 0.7)));
    const { bytes, error } = await readAll(source(path));
    expect(error).toBeInstanceOf(DamagedInput);
    expect(error?.message).toContain(`damaged ${name} data in ${path}: `);
    expect(error?.message).toSatisfy(oneLine);
    expect(error?.delivered).toBe(bytes.length);
    // xz has one block for all of this, yet streams; 7/10 of the archive is about 7/10 of the text
    expect(bytes.length).toBeGreaterThan(plain.length * 0.5);
    expect(bytes.length).toBeLessThan(plain.length);
    expect(isPrefix(bytes)).toBe(true);
  });

  it('cut off anywhere: never an exception of another kind, never other bytes', async () => {
    const archive = make(logLines(50));
    for (const length of [
      1,
      2,
      3,
      5,
      6,
      9,
      11,
      17,
      40,
      archive.length >> 1,
      archive.length - 9,
      archive.length - 1,
    ]) {
      const { bytes, error } = await readAll(
        source(file(`${name}-cut-${length}`, archive.subarray(0, length))),
      );
      if (error !== null) expect(error).toBeInstanceOf(DamagedInput);
      // too short to be told by its magic: these are the bytes themselves
      else expect(bytes.equals(archive.subarray(0, length))).toBe(true);
      if (error !== null) expect(isPrefix(bytes)).toBe(true);
    }
  });

  it('a damaged byte in the middle: what stands before it is kept', async () => {
    const archive = Buffer.from(make(text));
    const at = Math.floor(archive.length * 0.8);
    for (let i = at; i < at + 64; i += 1) archive[i] ^= 0x5a;
    const { bytes, error } = await readAll(source(file(`${name}-damaged`, archive)));
    expect(error).toBeInstanceOf(DamagedInput);
    expect(bytes.length).toBeGreaterThan(plain.length * 0.4);
    expect(bytes.subarray(0, plain.length * 0.4).equals(plain.subarray(0, plain.length * 0.4))).toBe(true);
  });

  it('stop() ends a reading without an error', async () => {
    const from = source(file(`${name}-stop`, make(text)));
    let blocks = 0;
    for await (const _ of openBlocks(from, { blockSize: 65536 })) {
      blocks += 1;
      from.stop();
    }
    expect(blocks).toBe(1);
  });
});

describe('gzip', () => {
  const good = gzipSync(text);

  it('zero padding after the last member is no damage', async () => {
    const path = file('padded', Buffer.concat([good, Buffer.alloc(10_240)]));
    expect((await readAll(source(path))).error).toBeNull();
  });

  it('zero padding between members', async () => {
    const path = file('padded2', Buffer.concat([gzipSync('a\n'), Buffer.alloc(512), gzipSync('b\n')]));
    expect((await readAll(source(path))).bytes.toString()).toBe('a\nb\n');
  });

  it.each(['garbage', '\x1f\x8b\xff\xff', '\x1f', '\0\0\x1f\x8b\x08'])(
    'garbage after it (%j) costs nothing',
    async (tail) => {
      for (const content of [gzipSync('short\n'), good]) {
        const path = file('garbage', Buffer.concat([content, Buffer.from(tail, 'latin1')]));
        const { bytes, error } = await readAll(source(path));
        expect(bytes.toString()).toBe(content === good ? text : 'short\n');
        expect(error).toBeInstanceOf(DamagedInput);
      }
    },
  );

  it('a wrong checksum costs nothing, and the next member is read', async () => {
    const wrong = gzipSync('one\n');
    wrong[wrong.length - 6] ^= 1;
    const { bytes, error } = await readAll(
      source(file('checksum', Buffer.concat([wrong, gzipSync('two\n')]))),
    );
    expect(bytes.toString()).toBe('one\ntwo\n');
    expect(error?.message).toContain('wrong checksum of member 1');
  });

  it('headers with a name, as gzip itself writes them', async () => {
    const path = file('named.log', text);
    expect(spawnSync('gzip', ['-kf', path]).status).toBe(0);
    expect((await readAll(source(`${path}.gz`))).bytes.equals(plain)).toBe(true);
  });

  it('headers with extra field, comment and checksum', async () => {
    const usual = gzipSync('x\n');
    const header = Buffer.from(usual.subarray(0, 10));
    header[3] = 2 | 4 | 16;
    const fields = Buffer.from([3, 0, 9, 9, 9, 0x68, 0x69, 0, 0xaa, 0xbb]);
    const { bytes, error } = await readAll(
      source(file('fields', Buffer.concat([header, fields, usual.subarray(10)]))),
    );
    expect(error).toBeNull();
    expect(bytes.toString()).toBe('x\n');
  });
});

describe('zstd', () => {
  it(`skippable frames before, between and after (${createZstd === null ? 'child' : 'node:zlib'})`, async () => {
    const skip = Buffer.from([0x5e, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 1, 2, 3, 4]);
    const frames = [skip, compress('zstd', 'one\n', '-q'), skip, compress('zstd', 'two\n', '-q'), skip];
    const { bytes, error } = await readAll(source(file('skippable', Buffer.concat(frames))));
    expect(error).toBeNull();
    expect(bytes.toString()).toBe('one\ntwo\n');
  });

  it('something else after it costs nothing', async () => {
    const path = file('zstd-tail', Buffer.concat([compress('zstd', text, '-q'), Buffer.from('garbage')]));
    const { bytes, error } = await readAll(source(path));
    expect(bytes.equals(plain)).toBe(true);
    expect(error).toBeInstanceOf(DamagedInput);
  });
});

describe('missing tools', () => {
  it.each([
    ['xz', 'xz not found; install xz-utils'],
    ['bzip2', 'bzip2 not found; install bzip2'],
    ...(createZstd === null ? [['zstd', 'zstd not found; install zstd']] : []),
  ])('%s', async (program, expected) => {
    const path = file(`missing-${program}`, compress(program, 'x\n'));
    process.env.PATH = folder;
    const { error } = await readAll(source(path));
    expect(error).toBeInstanceOf(UnreadableInput);
    expect(error?.message).toBe(`cannot read ${path}: ${expected}`);
  });
});

describe('children', () => {
  /** Names of our children that are alive. */
  function children(): string[] {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .flatMap((pid) => {
        try {
          const [, name, parent] =
            /\((.*)\) \S (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, 'latin1')) ?? [];
          return Number(parent) === process.pid ? [name] : [];
        } catch {
          return []; // gone meanwhile
        }
      });
  }

  it.each(['xz', 'bzip2'])('%s is gone when the reader stops early', async (program) => {
    const path = file(`early-${program}`, compress(program, text, '-1'));
    let during: string[] = [];
    for await (const _ of openBlocks(source(path))) {
      during = children();
      break;
    }
    expect(during.some((name) => name.includes(program))).toBe(true);
    expect(children().some((name) => name.includes(program))).toBe(false);
  });

  it('and when its input is a pipe that stays open and silent', async () => {
    const stream = new Readable({ read() {} });
    stream.push(compress('xz', text, '-0').subarray(0, 200_000));
    for await (const _ of openBlocks(streamSource('-', stream))) break;
    expect(children().some((name) => name.includes('xz'))).toBe(false);
    expect(stream.destroyed).toBe(true);
  });

  it('a slow reader holds the child back: memory stays small', async () => {
    const zeros = compress('xz', Buffer.alloc(150 << 20), '-0');
    const path = file('zeros.xz', zeros);
    const before = process.memoryUsage().rss;
    let n = 0;
    for await (const _ of openBlocks(source(path))) {
      n += 1;
      if (n < 40) await sleep(5);
      else break;
    }
    expect(process.memoryUsage().rss - before).toBeLessThan(80 << 20);
  });
});

describe('streams', () => {
  it('a silent pipe does not hold a reader that stops', async () => {
    const stream = new Readable({ read() {} });
    stream.push(gzipSync(text).subarray(0, 100_000));
    for await (const _ of openBlocks(streamSource('-', stream))) break;
    expect(stream.destroyed).toBe(true);
  });

  it('stop() ends a reading that waits', async () => {
    const stream = new Readable({ read() {} });
    stream.push('one line\n');
    const from = streamSource('-', stream);
    setTimeout(() => from.stop(), 50);
    const { bytes, error } = await readAll(from);
    expect(error).toBeNull();
    expect(bytes.toString()).toBe('one line\n');
  });

  it('an error of the stream is one clear error', async () => {
    const stream = new Readable({ read() {} });
    stream.push('one line\n');
    setTimeout(() => stream.destroy(Object.assign(new Error('EIO: i/o error, read'), { code: 'EIO' })), 20);
    const { bytes, error } = await readAll(streamSource('-', stream));
    expect(bytes.toString()).toBe('one line\n');
    expect(error?.message).toBe('cannot read standard input: input/output error; check the disk');
  });

  it('a stream is read once', async () => {
    const from = streamSource('-', Readable.from([Buffer.from('x')]));
    await readAll(from);
    expect((await readAll(from)).error).toBeInstanceOf(UnreadableInput);
  });

  it('a named pipe', async () => {
    const path = `${mkdtempSync(`${folder}/fifo-`)}/pipe`;
    mkdirSync(`${path}.d`);
    expect(spawnSync('mkfifo', [path]).status).toBe(0);
    const input = file('fifo-input', gzipSync(text));
    const writer = spawn('sh', ['-c', 'cat "$1" > "$2"', 'sh', input, path]);
    const { bytes, error } = await readAll(fifoSource(path, statSync(path)));
    writer.kill();
    expect(error).toBeNull();
    expect(bytes.equals(plain)).toBe(true);
  });
});
