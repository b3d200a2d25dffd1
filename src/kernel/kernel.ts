/**
 * The compiled kernel (assembly/kernel.ts) and its memory.
 *
 * Owns the instance, the views of its memory and the names it knows. Must not know lives or figures. Where there is no
 * compiled kernel, or DSNSTAT_KERNEL=off, all lines go the TypeScript way, with the same result and more time.
 */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { isQueueManager, speaksOfItself } from '../../parsers/postfix.ts';
import type { Tag } from '../lines/head.ts';
import {
  AWAITED,
  CHAIN_NOW,
  CLOSED_TO,
  FAMILY_OTHER,
  FAMILY_POSTFIX,
  FAMILY_QMAIL,
  FAMILY_SENDMAIL,
  FILE_INPUT,
  FILE_INPUT_ROOM,
  FIRST_INDEX_SLOTS,
  FROM,
  INDEX_MASK,
  INPUT,
  KNOWN,
  LEAST_PRESENCE_BITS,
  LIMIT,
  MOST_PRESENCE_BITS,
  NOW,
  ORIGIN,
  OUTBOX,
  OUTBOX_ROOM,
  OUTBOX_USED,
  PAGES,
  PRESENCE,
  PRESENCE_BESIDE,
  PRESENCE_SHIFT,
  PROCESS_SLOTS,
  SEAM,
  TAG_DISCARD,
  TAG_QMGR,
  TAG_SHIFT,
  TAG_SPEAKS,
  TO,
} from './assembly/layout.ts';

/** What kernel.ts exports. */
interface Exports {
  readonly memory: WebAssembly.Memory;
  addHost(start: number, end: number, number: number): void;
  addTag(start: number, end: number, instance: number, meaning: number): void;
  rowOf(hash: number, check: number): number;
  release(row: number): void;
  releaseChain(row: number): void;
  tellAgain(row: number, after: number): number;
  outline(root: number): number;
  rowOfProcess(host: number, qp: number): number;
  rowOfDelivery(host: number, delivery: number): number;
  rowOfBounce(host: number, qp: number): number;
  rowOfForward(host: number, qp: number): number;
  nextRow(row: number, silent: number): number;
  closeDue(): number;
  receive(at: number): number;
  run(end: number): number;
}

/** Chains that left a kernel, for another one (layout.ts OUTBOX). */
export interface Chains {
  /** What numbers in them stand for, where those before did not say so. */
  readonly tags: readonly Tag[];
  readonly instances: readonly string[];
  readonly buffer: ArrayBuffer;
  /** So many bytes of it. */
  readonly length: number;
}

/** Buffers that came back; without them, garbage would pile up by the ten megabytes. */
const spare: ArrayBuffer[] = [];
const MOST_SPARE = 8;

/** The chains in this buffer have been taken in: others may leave in it. */
export function giveBack(buffer: ArrayBuffer): void {
  if (spare.length < MOST_SPARE) spare.push(buffer);
}

/** More than a host has; a row has 15 bits for the number, and the names are searched one by one. */
const MOST_INSTANCES = 255;
/** A tag's number has 24 bits, less one for the sign. */
const MOST_TAGS = 0x7fffff;

let compiled: WebAssembly.Module | null | undefined;

function moduleOf(): WebAssembly.Module | null {
  if (compiled !== undefined) return compiled;
  compiled = null;
  if (process.env.DSNSTAT_KERNEL === 'off') return null;
  // Beside this file when built; the tests run the sources.
  for (const place of ['./kernel.wasm', '../../dist/kernel.wasm']) {
    const path = fileURLToPath(new URL(place, import.meta.url));
    if (!existsSync(path)) continue;
    compiled = new WebAssembly.Module(readFileSync(path));
    break;
  }
  return compiled;
}

/** The compiled code, for other threads of this process: compiling it once more costs each a third of a second. */
export function kernelModule(): WebAssembly.Module | null {
  return moduleOf();
}

/** Takes the code that another thread has compiled. */
export function shareKernelModule(module: WebAssembly.Module | null): void {
  compiled = module;
}

export class Kernel {
  readonly call: Exports;
  /** Whose lines it read last: what it knows of stamps is of that input. */
  reader: object | null = null;
  /** All of its memory. */
  readonly bytes: Buffer;
  /** The part of it for a file's bytes. */
  readonly fileInput: Uint8Array;
  readonly #numbers: Int32Array;
  readonly #doubles: Float64Array;
  readonly #hosts = new Set<number>();
  /** By number. */
  readonly #tags: Tag[] = [];
  readonly #instances: string[] = [];
  /** What the receiver of chains has not been told yet. */
  #newTags: Tag[] = [];
  #toldInstances = 0;
  /** Who waits, by the byte that says so. */
  readonly #awaited = new Map<number, Set<string>>();

  private constructor(module: WebAssembly.Module) {
    const abort = (): never => {
      throw new Error('the kernel stopped');
    };
    this.call = new WebAssembly.Instance(module, { env: { abort } }).exports as unknown as Exports;
    const { memory } = this.call;
    memory.grow(PAGES - memory.buffer.byteLength / 65536);
    this.bytes = Buffer.from(memory.buffer);
    this.fileInput = this.bytes.subarray(FILE_INPUT, FILE_INPUT + FILE_INPUT_ROOM);
    this.#numbers = new Int32Array(memory.buffer);
    this.#doubles = new Float64Array(memory.buffer);
    this.#begin();
  }

  /** A new one, or null where there is none. */
  static create(): Kernel | null {
    const module = moduleOf();
    return module === null ? null : new Kernel(module);
  }

  #begin(): void {
    this.setNumber(INDEX_MASK, FIRST_INDEX_SLOTS - 1);
    this.setNumber(PRESENCE_SHIFT, 32 - LEAST_PRESENCE_BITS);
    this.setDouble(NOW, Number.NEGATIVE_INFINITY);
    this.setDouble(CLOSED_TO, Number.NEGATIVE_INFINITY);
    this.setDouble(ORIGIN, Number.POSITIVE_INFINITY);
    this.setDouble(SEAM, Number.NEGATIVE_INFINITY);
    this.setDouble(FROM, Number.POSITIVE_INFINITY);
    this.setDouble(LIMIT, Number.POSITIVE_INFINITY);
    this.setDouble(TO, Number.NEGATIVE_INFINITY);
  }

  // Addresses are of bytes (layout.ts).
  number(at: number): number {
    return this.#numbers[at >> 2];
  }

  setNumber(at: number, value: number): void {
    this.#numbers[at >> 2] = value;
  }

  double(at: number): number {
    return this.#doubles[at >> 3];
  }

  setDouble(at: number, value: number): void {
    this.#doubles[at >> 3] = value;
  }

  /** Where these bytes stand in its memory; those of others are copied to INPUT: 60 us a MB, and room in the second cache. */
  placeOf(bytes: Uint8Array, from: number, to: number): number {
    if (bytes.buffer === this.bytes.buffer) return bytes.byteOffset + from;
    this.bytes.set(from === 0 && to === bytes.length ? bytes : bytes.subarray(from, to), INPUT);
    return INPUT;
  }

  /** Whether the same bytes stand at two places. */
  holds(at: number, other: number, length: number): boolean {
    for (let i = 0; i < length; i += 1) if (this.bytes[at + i] !== this.bytes[other + i]) return false;
    return true;
  }

  /** The host whose name stands at [start, end) of its memory. */
  meetHost(start: number, end: number, host: number): void {
    if (this.#hosts.has(host) || host > 0xffff) return;
    this.#hosts.add(host);
    this.call.addHost(start, end, host);
  }

  meetTag(start: number, end: number, tag: Tag): void {
    if (this.#tags[tag.number] !== undefined || tag.number > MOST_TAGS) return;
    this.#tags[tag.number] = tag;
    this.#newTags.push(tag);
    const meaning = meaningOf(tag);
    const instance = meaning === 0 ? 0 : this.#instanceNumber(tag.instance);
    if (meaning !== 0 && instance <= MOST_INSTANCES)
      this.call.addTag(start, end, instance, meaning | (tag.number << TAG_SHIFT));
  }

  /** Above MOST_INSTANCES for one that there is no room for: a log with so many is hostile, and slow. */
  #instanceNumber(instance: string): number {
    const known = this.#instances.indexOf(instance);
    if (known >= 0 || this.#instances.length > MOST_INSTANCES) return known >= 0 ? known : MOST_INSTANCES + 1;
    return this.#instances.push(instance) - 1;
  }

  /** A tag that was met. */
  tag(number: number): Tag {
    return this.#tags[number];
  }

  instance(number: number): string {
    return this.#instances[number];
  }

  /** The chains that wait to leave; the outbox is empty then. */
  takeChains(): Chains {
    const buffer = spare.pop() ?? new ArrayBuffer(OUTBOX_ROOM);
    const length = this.number(OUTBOX_USED);
    new Uint8Array(buffer).set(this.bytes.subarray(OUTBOX, OUTBOX + length));
    this.setNumber(OUTBOX_USED, 0);
    const tags = this.#newTags;
    const instances = this.#instances.slice(this.#toldInstances);
    this.#newTags = [];
    this.#toldInstances = this.#instances.length;
    return { buffer, length, tags, instances };
  }

  /** Takes chains in that left another kernel; `onChain` gets the row of each root and the log time of its end. */
  receive({ buffer, length, tags, instances }: Chains, onChain: (row: number, now: number) => void): void {
    for (const tag of tags) this.#tags[tag.number] = tag;
    this.#instances.push(...instances);
    // No lines are read here: there is room.
    this.bytes.set(new Uint8Array(buffer, 0, length), INPUT);
    const end = INPUT + length;
    for (let at = INPUT; at < end; at += this.number(at))
      onChain(this.call.receive(at), this.double(at + CHAIN_NOW));
  }

  /** qmail: something waits for the message of this process. */
  await(host: number, qp: number): void {
    const slot = processSlot(host, qp);
    const keys = this.#awaited.get(slot);
    const key = `${host} ${qp}`;
    if (keys === undefined) this.#awaited.set(slot, new Set([key]));
    else keys.add(key);
    this.bytes[AWAITED + slot] = 1;
  }

  /** qmail: the message of this process may be a life of the joiner's. */
  know(host: number, qp: number): void {
    this.bytes[KNOWN + processSlot(host, qp)] = 1;
  }

  knowNone(): void {
    this.bytes.fill(0, KNOWN, KNOWN + PROCESS_SLOTS);
  }

  awaitNoMore(host: number, qp: number): void {
    const slot = processSlot(host, qp);
    const keys = this.#awaited.get(slot);
    if (keys === undefined || !keys.delete(`${host} ${qp}`) || keys.size > 0) return;
    this.#awaited.delete(slot);
    this.bytes[AWAITED + slot] = 0;
  }

  /** A life with this id is in the joiner's table now, or has left it. */
  present(hash: number, check: number, step: 1 | -1): void {
    const shift = this.number(PRESENCE_SHIFT);
    const mixed = hash ^ Math.imul(check, 0x9e3779b1);
    this.#present(PRESENCE + (mixed >>> shift), step);
    this.#present(PRESENCE_BESIDE + ((Math.imul(mixed, 0x85ebca6b) + check) >>> shift), step);
  }

  /** Makes room for the ids of so many lives; true where there was too little: all have to be told again. */
  makeRoomFor(lives: number): boolean {
    const bits = 32 - this.number(PRESENCE_SHIFT);
    if (lives <= 1 << (bits - 5) || bits === MOST_PRESENCE_BITS) return false;
    this.setNumber(PRESENCE_SHIFT, 32 - Math.min(MOST_PRESENCE_BITS, bits + 3));
    this.bytes.fill(0, PRESENCE, PRESENCE_BESIDE + (1 << MOST_PRESENCE_BITS));
    return true;
  }

  #present(at: number, step: 1 | -1): void {
    const count = this.bytes[at];
    // A full one stays full: its ids are slow ones for good.
    if (count < 255) this.bytes[at] = count + step;
  }
}

/** As in the kernel. */
function processSlot(host: number, qp: number): number {
  return (qp + host * 1031) & (PROCESS_SLOTS - 1);
}

function meaningOf(tag: Tag): number {
  switch (tag.program) {
    case 'postfix':
      return (
        FAMILY_POSTFIX |
        (speaksOfItself(tag.daemon) ? TAG_SPEAKS : 0) |
        (isQueueManager(tag.daemon) ? TAG_QMGR : 0) |
        (tag.daemon === 'discard' ? TAG_DISCARD : 0)
      );
    case 'sendmail':
      return FAMILY_SENDMAIL;
    case 'qmail':
      return tag.deliveries === 0 ? FAMILY_QMAIL : 0;
    case 'other':
      return FAMILY_OTHER;
    default:
      return 0;
  }
}
