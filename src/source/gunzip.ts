/**
 * gzip (RFC 1952): members one after another, each a header, deflated data, CRC-32 and length.
 *
 * Own framing over node's raw inflate, because createGunzip loses the good output of a step when the checksum
 * is wrong or garbage follows. Zero padding after the last member is usual on tapes, anything else is damage.
 *
 * Must not know files or logs.
 */
import { crc32, createInflateRaw } from 'node:zlib';
import { Damage } from './errors.ts';
import type { Input } from './input.ts';
import { DECODER_CHUNK, decode, Stepper } from './steps.ts';

const FLAG_HEADER_CRC = 2;
const FLAG_EXTRA = 4;
const FLAG_NAME = 8;
const FLAG_COMMENT = 16;

const CUT_OFF = 'unexpected end of file';

export async function* gunzip(input: Input): AsyncGenerator<Uint8Array, void, void> {
  let damage: string | null = null;
  for (let member = 1; await startOfMember(input, member === 1); member += 1) {
    await skipHeader(input);
    const check = { crc: 0, length: 0 };
    yield* inflateMember(input, check);
    const crc = await uint32(input);
    const length = await uint32(input);
    // The next member starts at a known place, whatever this one's checksum says.
    if (crc !== check.crc || length !== check.length >>> 0) damage ??= `wrong checksum of member ${member}`;
  }
  if (damage !== null) throw new Damage(damage);
}

/** Skips padding and the two magic bytes; false at the end of the input. */
async function startOfMember(input: Input, first: boolean): Promise<boolean> {
  if (!first) {
    while (await input.more()) {
      const rest = input.peek(Number.MAX_SAFE_INTEGER);
      const at = rest.findIndex((byte) => byte !== 0);
      input.take(at < 0 ? rest.length : at);
      if (at >= 0) break;
    }
  }
  const at = input.taken;
  const id1 = await input.byte();
  if (id1 < 0) return false;
  const id2 = await input.byte();
  const method = await input.byte();
  if (id1 === 0x1f && id2 === 0x8b && method === 8) return true;
  if (first) throw new Damage(method < 0 ? CUT_OFF : 'unknown method of compression');
  throw new Damage(`something that is not gzip follows at byte ${at}`);
}

async function skipHeader(input: Input): Promise<void> {
  const flags = await byte(input);
  for (let i = 0; i < 6; i += 1) await byte(input); // MTIME, XFL, OS
  if (flags & FLAG_EXTRA) {
    const length = (await byte(input)) | ((await byte(input)) << 8);
    for (let i = 0; i < length; i += 1) await byte(input);
  }
  if (flags & FLAG_NAME) while ((await byte(input)) !== 0);
  if (flags & FLAG_COMMENT) while ((await byte(input)) !== 0);
  if (flags & FLAG_HEADER_CRC) {
    await byte(input);
    await byte(input);
  }
}

async function* inflateMember(
  input: Input,
  check: { crc: number; length: number },
): AsyncGenerator<Uint8Array, void, void> {
  const decoder = new Stepper(createInflateRaw({ chunkSize: DECODER_CHUNK }));
  try {
    const chunks = decode(decoder, input);
    let next = await chunks.next();
    for (; !next.done; next = await chunks.next()) {
      check.crc = crc32(next.value, check.crc);
      check.length += next.value.length;
      yield next.value;
    }
    if (!next.value) throw new Damage(CUT_OFF);
  } finally {
    decoder.close();
  }
}

async function byte(input: Input): Promise<number> {
  const value = await input.byte();
  if (value < 0) throw new Damage(CUT_OFF);
  return value;
}

async function uint32(input: Input): Promise<number> {
  let value = 0;
  for (let i = 0; i < 4; i += 1) value += (await byte(input)) * 2 ** (8 * i);
  return value;
}
