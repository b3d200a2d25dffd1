/**
 * Enhanced status codes (RFC 3463) and reply codes (RFC 5321 section 4.2) in reply texts.
 */

/** First enhanced status code that a reply text gives, or null. Blanks may be printed as `_` (qmail). */
export function replyStatus(reply: string): string | null {
  const match = /(?:^|[ _(#:-])([245]\.\d{1,3}\.\d{1,3})(?=$|[^\d.])/.exec(reply);
  return match === null ? null : match[1];
}
