/**
 * Tells compressed data by its first bytes, never by a file name.
 *
 * Must not know how anything is decompressed.
 */

export type Compression = 'none' | 'gzip' | 'zstd' | 'xz' | 'bzip2';

/** As many bytes as `compressionOf` wants to see. */
export const MAGIC_LENGTH = 6;

export function compressionOf(head: Uint8Array): Compression {
  if (has(head, 0x1f, 0x8b)) return 'gzip';
  if (has(head, 0x28, 0xb5, 0x2f, 0xfd) || isSkippableFrame(head)) return 'zstd';
  if (has(head, 0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00)) return 'xz';
  if (has(head, 0x42, 0x5a, 0x68) && head[3] >= 0x31 && head[3] <= 0x39) return 'bzip2'; // BZh1 to BZh9
  return 'none';
}

/** RFC 8878, 3.1.2: 0x184D2A50 to 0x184D2A5F, little-endian; pzstd writes one first. */
function isSkippableFrame(head: Uint8Array): boolean {
  return (head[0] & 0xf0) === 0x50 && head[1] === 0x2a && head[2] === 0x4d && head[3] === 0x18;
}

function has(head: Uint8Array, ...magic: number[]): boolean {
  return magic.every((byte, i) => head[i] === byte);
}
