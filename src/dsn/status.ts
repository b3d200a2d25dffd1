/**
 * Enhanced status codes (RFC 3463) and reply codes (RFC 5321 section 4.2) in reply texts.
 */

/**
 * First enhanced status code that a reply text gives, or null: `[245].N.N` with up to three digits, behind the text's
 * beginning or one of ` _(#:-`, and nothing but a digit or a point must not follow. Blanks may be printed as `_` (qmail).
 */
export function replyStatus(reply: string): string | null {
  // By its first point; a regular expression took 0.4 us a reply.
  for (let dot = reply.indexOf('.'); dot >= 0; dot = reply.indexOf('.', dot + 1)) {
    const c = reply.charCodeAt(dot - 1);
    if (c !== 0x32 && c !== 0x34 && c !== 0x35) continue;
    if (dot > 1 && !MAY_PRECEDE.includes(reply[dot - 2])) continue;
    const second = digitsEnd(reply, dot + 1);
    if (second === dot + 1 || second > dot + 4 || reply.charCodeAt(second) !== POINT) continue;
    const end = digitsEnd(reply, second + 1);
    if (end === second + 1 || end > second + 4 || reply.charCodeAt(end) === POINT) continue;
    return reply.slice(dot - 1, end);
  }
  return null;
}

const POINT = 0x2e;
const MAY_PRECEDE = ' _(#:-';

function digitsEnd(reply: string, from: number): number {
  let end = from;
  while (end < reply.length && reply.charCodeAt(end) >= 0x30 && reply.charCodeAt(end) <= 0x39) end += 1;
  return end;
}
