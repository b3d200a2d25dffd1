/**
 * Following by name, against a model: a writer and a rotator do random things to real files, and every line that the
 * file system did not take away must come out once.
 */
import {
  appendFileSync,
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  rmSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { LineStream } from '../../src/follow/line-stream.ts';
import { Tail } from '../../src/follow/tail.ts';

const ROOM = mkdtempSync(join(tmpdir(), 'dsnstat-follow-'));
afterAll(() => rmSync(ROOM, { recursive: true, force: true }));
let rooms = 0;

function room(): string {
  rooms += 1;
  const folder = join(ROOM, String(rooms));
  rmSync(folder, { recursive: true, force: true });
  writeFileSync(join(ROOM, 'touch'), '');
  return mkdtempSync(`${folder}-`);
}

function linkOf(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch {
    return null;
  }
}

/** The real thing: a tail whose pieces are cut into lines. */
class Reader {
  readonly lines: string[] = [];
  readonly notices: string[] = [];
  readonly #streams = new Map<number, LineStream>();
  readonly #ends: Promise<void>[] = [];
  readonly tail: Tail;
  now = 0;

  constructor(path: string) {
    this.tail = new Tail(path, {
      chunk: (bytes, piece) => {
        let stream = this.#streams.get(piece);
        if (stream === undefined) {
          stream = new LineStream({ line: (text) => this.lines.push(text), overlong: () => undefined });
          this.#streams.set(piece, stream);
        }
        stream.push(bytes);
      },
      end: (piece) => {
        const stream = this.#streams.get(piece);
        if (stream !== undefined) this.#ends.push(stream.end());
        this.#streams.delete(piece);
      },
      notice: (text) => this.notices.push(text),
    });
  }

  /** Reads all that is there. */
  look(): void {
    this.now += 250;
    for (let n = 0; this.tail.poll(this.now); n += 1) if (n > 10_000) throw new Error('never quiet');
  }

  async finish(): Promise<string[]> {
    this.look();
    this.tail.close();
    await Promise.all(this.#ends);
    return this.lines;
  }
}

/** A file as the model knows it. */
interface Inode {
  content: string;
  /** What has surely been read of it. */
  read: number;
  /** The reader has a handle on it. */
  seen: boolean;
  /** copytruncate made it: no daemon writes to it. */
  copy?: boolean;
}

/** What a log's writer and rotator do, and which lines must come out of it. */
class World {
  readonly path: string;
  readonly #folder: string;
  #current: Inode | null = null;
  /** Renamed files by number: mail.log.1 is the first. */
  #rotated: Inode[] = [];
  #expected: string[] = [];
  #number = 0;

  constructor(folder: string) {
    this.#folder = folder;
    this.path = join(folder, 'mail.log');
  }

  #text(lines: number, partial: boolean): string {
    let text = '';
    for (let n = 0; n < lines; n += 1) text += `line ${String(++this.#number).padStart(8, '0')} of the log\n`;
    return partial ? `${text}line ${String(++this.#number).padStart(8, '0')} without` : text;
  }

  #write(path: string, inode: Inode, text: string): void {
    appendFileSync(path, text);
    inode.content += text;
  }

  write(lines: number, partial: boolean): void {
    if (this.#current === null) {
      writeFileSync(this.path, '');
      this.#current = { content: '', read: 0, seen: false };
    }
    this.#write(this.path, this.#current, this.#text(lines, partial));
  }

  /** A daemon that has not been told of the rotation yet. */
  writeLate(lines: number): void {
    const inode = this.#rotated[0];
    if (inode === undefined || inode.copy) return;
    this.#write(`${this.path}.1`, inode, this.#text(lines, false));
  }

  #shift(): void {
    for (let n = this.#rotated.length; n > 0; n -= 1) {
      renameSync(`${this.path}.${n}`, `${this.path}.${n + 1}`);
    }
  }

  rotate(create: boolean): void {
    if (this.#current === null) return;
    this.#shift();
    renameSync(this.path, `${this.path}.1`);
    this.#rotated.unshift(this.#current);
    this.#current = null;
    if (create) this.write(0, false);
  }

  /**
   * The copy keeps what was not read, but for what is written between the copy and the truncation, unless the reader
   * looks in between.
   */
  copyTruncate(between: number, reader: Reader | null): void {
    if (this.#current === null) return;
    this.#shift();
    copyFileSync(this.path, `${this.path}.1`);
    const copied = this.#current.content;
    this.#rotated.unshift({ content: '', read: 0, seen: false, copy: true });
    const late = between > 0 ? this.#text(between, false) : '';
    appendFileSync(this.path, late);
    if (reader !== null) {
      reader.look();
      this.looked();
    }
    truncateSync(this.path);
    this.#end(reader === null ? copied : copied + late);
    this.#current = { content: '', read: 0, seen: this.#current.seen };
  }

  /** Nothing keeps what was not read. */
  truncate(): void {
    if (this.#current === null) return;
    truncateSync(this.path);
    this.#end(this.#current.content.slice(0, this.#current.read));
    this.#current = { content: '', read: 0, seen: this.#current.seen };
  }

  remove(): void {
    if (this.#current === null) return;
    unlinkSync(this.path);
    if (this.#current.seen) this.#end(this.#current.content);
    this.#current = null;
  }

  /** The reader has looked: what is there has been read. */
  looked(): void {
    for (const inode of [...this.#rotated, ...(this.#current === null ? [] : [this.#current])]) {
      inode.seen = true;
      inode.read = inode.content.length;
    }
  }

  #end(content: string): void {
    this.#expected.push(...content.split('\n').filter((line) => line !== ''));
  }

  expected(): string[] {
    for (const inode of this.#rotated) this.#end(inode.content);
    if (this.#current !== null) this.#end(this.#current.content);
    return this.#expected;
  }

  /** The names in the folder, for a failure's message. */
  toString(): string {
    return readdirSync(this.#folder).join(' ');
  }
}

type Act = (world: World, reader: Reader) => void;

const act: fc.Arbitrary<readonly [string, Act]> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .tuple(fc.nat(80), fc.boolean())
      .map(([n, p]) => [`write ${n} ${p}`, (w: World) => w.write(n, p)] as const),
  },
  {
    weight: 5,
    arbitrary: fc.constant([
      'look',
      (w: World, r: Reader) => {
        r.look();
        w.looked();
      },
    ] as const),
  },
  {
    weight: 2,
    arbitrary: fc.boolean().map((create) => [`rotate ${create}`, (w: World) => w.rotate(create)] as const),
  },
  {
    weight: 1,
    arbitrary: fc
      .integer({ min: 1, max: 9 })
      .map((n) => [`late ${n}`, (w: World) => w.writeLate(n)] as const),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.nat(3), fc.boolean())
      .map(
        ([n, looks]) =>
          [
            `copytruncate ${n} ${looks}`,
            (w: World, r: Reader) => w.copyTruncate(n, looks ? r : null),
          ] as const,
      ),
  },
  { weight: 1, arbitrary: fc.constant(['truncate', (w: World) => w.truncate()] as const) },
  { weight: 1, arbitrary: fc.constant(['remove', (w: World) => w.remove()] as const) },
);

describe('a followed file', () => {
  test('gives each line once, whatever writers and rotators do', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(act, { maxLength: 40 }), async (acts) => {
        const folder = room();
        const world = new World(folder);
        const reader = new Reader(world.path);
        for (const [, run] of acts) run(world, reader);
        const lines = await reader.finish();
        expect(lines.toSorted(), acts.map(([name]) => name).join(', ')).toEqual(world.expected().toSorted());
        rmSync(folder, { recursive: true });
      }),
      { numRuns: 400 },
    );
  });

  test('waits for a file that does not exist, and says so once', async () => {
    const path = join(room(), 'mail.log');
    const reader = new Reader(path);
    reader.look();
    reader.look();
    writeFileSync(path, 'one\n');
    expect(await reader.finish()).toEqual(['one']);
    expect(reader.notices).toEqual([
      `${path}: no such file; waiting for it`,
      `${path}: is there again; following it`,
    ]);
  });

  test('a folder of that name is no file: it is waited for, quietly', async () => {
    const path = join(room(), 'mail.log');
    const reader = new Reader(path);
    mkdirSync(path);
    reader.look();
    reader.look();
    rmdirSync(path);
    writeFileSync(path, 'one\n');
    expect(await reader.finish()).toEqual(['one']);
    expect(reader.notices).toHaveLength(2);
  });

  test('truncation is said once, not each time', async () => {
    const path = join(room(), 'mail.log');
    const reader = new Reader(path);
    for (const text of ['one\n', 'two\n', 'three\n']) {
      writeFileSync(path, text);
      reader.look();
    }
    expect(await reader.finish()).toEqual(['one', 'two', 'three']);
    expect(reader.notices).toEqual([expect.stringContaining('was truncated')]);
  });

  test('a copy that stands beside the file, which is not emptied yet and not read yet, is not read as well', async () => {
    const path = join(room(), 'mail.log');
    const reader = new Reader(path);
    writeFileSync(path, 'one\n');
    reader.look();
    // Between two looks logrotate was here, and it is here again.
    copyFileSync(path, `${path}.2`);
    writeFileSync(path, 'two, longer\n');
    copyFileSync(path, `${path}.1`);
    reader.look();
    truncateSync(path);
    reader.look();
    writeFileSync(path, 'three\n');
    expect(await reader.finish()).toEqual(['one', 'two, longer', 'three']);
  });

  test('a file that was emptied and has outgrown its old size is noticed', async () => {
    const path = join(room(), 'mail.log');
    const reader = new Reader(path);
    writeFileSync(path, 'old 1\nold 2\n');
    reader.look();
    writeFileSync(path, 'new 1\nnew 2\nnew 3\nnew 4\n');
    expect(await reader.finish()).toEqual(['old 1', 'old 2', 'new 1', 'new 2', 'new 3', 'new 4']);
  });

  test("multilog's pieces that came and went between two looks are read in their order", async () => {
    const folder = room();
    const path = join(folder, 'current');
    const reader = new Reader(path);
    writeFileSync(path, 'first\n');
    reader.look();
    for (let n = 0; n < 5; n += 1) {
      renameSync(path, join(folder, `@4000000065${n}00000000000000000`.slice(0, 25).concat('.s')));
      writeFileSync(path, `piece ${n}\n`);
    }
    expect(existsSync(path)).toBe(true);
    expect(await reader.finish()).toEqual(['first', 'piece 0', 'piece 1', 'piece 2', 'piece 3', 'piece 4']);
  });

  test('old rotated files that were there before are not taken for missed ones', async () => {
    const path = join(room(), 'mail.log');
    writeFileSync(`${path}.1`, 'yesterday\n');
    writeFileSync(path, 'today\n');
    const reader = new Reader(path);
    reader.look();
    renameSync(`${path}.1`, `${path}.2`);
    renameSync(path, `${path}.1`);
    writeFileSync(path, 'tomorrow\n');
    expect(await reader.finish()).toEqual(['today', 'tomorrow']);
  });

  test('a handle that fails is opened anew, and its file read on', async () => {
    const path = join(room(), 'mail.log');
    const reader = new Reader(path);
    writeFileSync(path, 'one\ntwo has been half');
    reader.look();
    // What a network file system does to a handle, as far as its owner can see.
    const fd = readdirSync('/proc/self/fd').find((name) => linkOf(`/proc/self/fd/${name}`) === path);
    closeSync(Number(fd));
    expect(reader.tail.backlog).toBe(0);
    appendFileSync(path, ' written\nthree\n');
    reader.look();
    reader.look();
    expect(reader.notices).toEqual([expect.stringContaining('trying again')]);
    expect(await reader.finish()).toEqual(['one', 'two has been half written', 'three']);
  });

  test('a renamed file is closed a minute after its last growth', async () => {
    const path = join(room(), 'mail.log');
    const reader = new Reader(path);
    writeFileSync(path, 'one\nlast wor');
    reader.look();
    renameSync(path, `${path}.1`);
    writeFileSync(path, 'two\n');
    reader.look();
    expect(reader.lines).toEqual(['one', 'two']);
    reader.now += 61_000;
    reader.look();
    expect(await reader.finish()).toEqual(['one', 'two', 'last wor']);
  });
});
