import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { HEAD_SIZE, orderByFirstTime, probe } from '../../src/source/probe.ts';
import { streamSource } from '../../src/source/source.ts';
import { ARCHIVES, compress, logLines, readAll, source, temporaryFolder } from './archives.ts';

const { folder, file } = temporaryFolder();
const text = logLines(10_000);
const head = Buffer.from(text).subarray(0, HEAD_SIZE);

function text_(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}

describe('probe', () => {
  it.each([{ name: 'none', make: (data: string | Uint8Array) => Buffer.from(data) }, ...ARCHIVES])(
    'the head of a file: $name',
    async ({ name, make }) => {
      const archive = make(text);
      const from = source(file(`probe-${name}`, archive));
      const found = await probe(from);
      expect(found.compression).toBe(name);
      expect(found.size).toBe(archive.length);
      expect(found.mtime).toBeCloseTo(Date.now(), -5);
      expect(head.equals(found.head)).toBe(true);
      expect(from.bytesRead).toBe(0);
      expect((await readAll(from)).bytes.toString()).toBe(text);
      expect(from.bytesRead).toBe(archive.length);
    },
  );

  it.each([{ name: 'none', make: (data: string | Uint8Array) => Buffer.from(data) }, ...ARCHIVES])(
    'a stream gets its head back: $name, probed twice',
    async ({ name, make }) => {
      const archive = make(text);
      const from = streamSource('-', Readable.from([archive.subarray(0, 3), archive.subarray(3)]));
      expect((await probe(from)).compression).toBe(name);
      const found = await probe(from);
      expect(found.compression).toBe(name);
      expect(found.size).toBeNull();
      expect(head.equals(found.head)).toBe(true);
      const { bytes, error } = await readAll(from);
      expect(error).toBeNull();
      expect(bytes.toString()).toBe(text);
      expect(from.bytesRead).toBe(archive.length);
    },
  );

  it('short and empty input', async () => {
    expect(text_((await probe(source(file('short', 'abc')))).head)).toBe('abc');
    expect((await probe(source(file('empty', '')))).head.length).toBe(0);
    const nothing = streamSource('-', Readable.from([]));
    expect((await probe(nothing)).head.length).toBe(0);
    expect((await readAll(nothing)).error).toBeNull();
  });

  it('does not throw for a damaged archive: who reads it is told', async () => {
    const cut = compress('xz', 'just a few lines\n').subarray(0, 40);
    const from = source(file('cut', cut));
    expect((await probe(from)).compression).toBe('xz');
    expect((await readAll(from)).error?.name).toBe('DamagedInput');
    const stream = streamSource('-', Readable.from([gzipSync(text).subarray(0, 10_000)]));
    expect((await probe(stream)).head.length).toBeGreaterThan(10_000);
    const { bytes, error } = await readAll(stream);
    expect(error?.name).toBe('DamagedInput');
    expect(text.startsWith(bytes.toString())).toBe(true);
  });

  it('does not throw for what cannot be read', async () => {
    expect((await probe(source(folder))).head.length).toBe(0);
  });

  it('waits for a silent stream no longer than told, and loses nothing', async () => {
    const stream = new Readable({ read() {} });
    stream.push('first\n');
    const from = streamSource('-', stream);
    expect(text_((await probe(from, { patienceMs: 30 })).head)).toBe('first\n');
    stream.push('second\n');
    stream.push(null);
    expect((await readAll(from)).bytes.toString()).toBe('first\nsecond\n');
  });
});

describe('orderByFirstTime', () => {
  it('by time, stable, those without a time last and in their order', async () => {
    const contents = { a: '?', b: '30', c: '10', d: '', e: '10', f: '20' };
    const sources = Object.entries(contents).map(([name, content]) => source(file(name, content)));
    const seen: string[] = [];
    const ordered = await orderByFirstTime(sources, (bytes, mtime, from) => {
      expect(mtime).not.toBeNull();
      seen.push(from.path);
      const time = Number.parseInt(text_(bytes), 10);
      return Number.isNaN(time) ? null : time;
    });
    expect(ordered.map(({ path }) => path.at(-1)).join('')).toBe('cefbad');
    expect(seen).toEqual(sources.map(({ path }) => path));
  });

  it('names say nothing: mail.log.2 may be younger than mail.log', async () => {
    const sources = [source(file('mail.log.2', gzipSync('2'))), source(file('mail.log', '1'))];
    const ordered = await orderByFirstTime(sources, (bytes) => Number(text_(bytes)));
    expect(ordered.map(({ path }) => path.slice(folder.length + 1))).toEqual(['mail.log', 'mail.log.2']);
  });
});
