/**
 * The names that a log gets when it is rotated, beside its own.
 *
 * Owns the habits of logrotate, newsyslog and multilog. Must not know what stands in a log.
 */
import { readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

const COMPRESSED = String.raw`(?:\.(?:gz|bz2|xz|zst))?`;
//  mail.log.1  mail.log.2.gz  mail.log-20261121  mail.log-20261121.gz  mail.log.20261121-1795226267
const SUFFIX = String.raw`(?:[.-]\d{1,10}(?:[.-]\d{1,10})*)`;
//  @400000006b00fa5d05fc2484.s: multilog's finished pieces; .u was not finished safely
const MULTILOG = /^@4000[0-9a-f]{20}\.[su]$/;

/** Rotated files of the log at `path`, in no order that means anything; empty when the folder cannot be read. */
export function rotatedSiblings(path: string): string[] {
  const folder = dirname(path);
  const name = basename(path);
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    return [];
  }
  return names
    .filter((other) => isRotated(other, name))
    .sort()
    .map((other) => join(folder, other));
}

/** Whether `other` is a rotated piece of `name`, both without folder: "mail.log.2.gz" of "mail.log". */
export function isRotated(other: string, name: string): boolean {
  if (name === 'current') return MULTILOG.test(other);
  // logrotate's `extension .log` puts the number in front of it: mail-20261121.log
  const dot = name.lastIndexOf('.');
  const inFront =
    dot > 0 &&
    new RegExp(`^${escaped(name.slice(0, dot))}${SUFFIX}${escaped(name.slice(dot))}${COMPRESSED}$`);
  return (
    new RegExp(`^${escaped(name)}${SUFFIX}${COMPRESSED}$`).test(other) ||
    (inFront !== false && inFront.test(other))
  );
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
