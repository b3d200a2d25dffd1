/**
 * Mail addresses as logs print them: lists, brackets, domains (RFC 5321 section 4.1.2). No judgement on validity.
 */

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const LESS = 0x3c;
const GREATER = 0x3e;
const AT = 0x40;

/** Calls back with the range of each address of a comma-separated list; commas in quotes and brackets do not part. */
export function splitAddresses(
  bytes: Uint8Array,
  start: number,
  end: number,
  each: (start: number, end: number) => void,
): void {
  let from = start;
  let quoted = false;
  let bracketed = false;
  for (let i = start; i < end; i += 1) {
    const c = bytes[i];
    if (c === BACKSLASH) i += 1;
    else if (c === QUOTE) quoted = !quoted;
    else if (quoted) continue;
    else if (c === LESS) bracketed = true;
    else if (c === GREATER) bracketed = false;
    else if (c === COMMA && !bracketed) {
      if (i > from) each(from, i);
      from = i + 1;
    }
  }
  if (end > from) each(from, end);
}

/** `<a@b>` -> `a@b`; `Name <a@b>` -> `a@b`; sendmail's printable escapes (`\\`, `\ooo`) undone [libsm util.c str2prt]. */
export function unwrapAddress(printed: string): string {
  let address = printed;
  if (address.endsWith('>')) {
    const open = address.startsWith('<') ? 0 : address.lastIndexOf('<');
    if (open >= 0) address = address.slice(open + 1, -1);
  }
  return address.includes('\\') ? unescapePrintable(address) : address;
}

export function unescapePrintable(printed: string): string {
  if (!/\\(?:\\|[0-7]{3})/.test(printed)) return printed;
  const bytes: number[] = [];
  const source = Buffer.from(printed, 'utf8');
  for (let i = 0; i < source.length; i += 1) {
    if (source[i] !== BACKSLASH) {
      bytes.push(source[i]);
      continue;
    }
    const octal = source.toString('latin1', i + 1, i + 4);
    if (/^[0-3][0-7]{2}$/.test(octal)) {
      bytes.push(Number.parseInt(octal, 8));
      i += 3;
    } else if (source[i + 1] === BACKSLASH) {
      bytes.push(BACKSLASH);
      i += 1;
    } else bytes.push(BACKSLASH);
  }
  return Buffer.from(bytes).toString('utf8');
}

/** Whom a bounce of this reverse-path goes to: qmail's VERP sender `list-@host-@[]` means `list-@host`. */
export function bounceAddress(reversePath: string): string {
  return reversePath.endsWith('-@[]') ? reversePath.slice(0, -4) : reversePath;
}

/** Domain in lower case; "" for an address without one. */
export function domainOf(address: string): string {
  // By hand: V8 leaves its compiled code for lastIndexOf and toLowerCase, and this is asked of every DSN.
  let plain = true;
  for (let i = address.length - 1; i >= 0; i -= 1) {
    const c = address.charCodeAt(i);
    if (c === AT) {
      const domain = address.slice(i + 1);
      return plain ? domain : domain.toLowerCase();
    }
    if (c > 0x7f || (c >= 0x41 && c <= 0x5a)) plain = false;
  }
  return '';
}
