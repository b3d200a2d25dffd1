/**
 * What is an address of a list of recipients: one key for all spellings, and whether a map can hold it.
 *
 * Owns the folding of case and extensions, and the characters that no map line can carry safely. Must not know evidence
 * or formats. The reasons for all rules are in docs/recipients.md.
 */

export interface RecipientAddress {
  /** In lower case, without extension where there is a delimiter: what the list is by. */
  readonly key: string;
  readonly domain: string;
}

/** Why an address is left out of every map. */
export type Unfit = 'characters' | 'temporary';

/**
 * An address of one of the domains, or null. Case is folded in both parts: all three MTAs look up in lower case
 * [sendmail map.c, Postfix dict(3) FOLD_FIX, validrcptto].
 */
export function recipientAddress(
  address: string,
  domains: ReadonlySet<string>,
  delimiter: string,
): RecipientAddress | null {
  const at = address.lastIndexOf('@');
  if (at <= 0) return null;
  const domain = lower(address.slice(at + 1)).replace(/\.$/, '');
  if (!domains.has(domain)) return null;
  return { key: `${withoutExtension(lower(address.slice(0, at)), delimiter)}@${domain}`, domain };
}

/** ASCII only: other letters have no one lower case, and no place in a map. */
function lower(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

/** Cuts at the first delimiter; names that Postfix keeps whole stay whole [split_addr.c]. */
function withoutExtension(local: string, delimiter: string): string {
  if (delimiter === '' || local === 'mailer-daemon' || local === 'double-bounce') return local;
  if (delimiter.includes('-') && (local.startsWith('owner-') || local.endsWith('-request'))) return local;
  for (let i = 1; i < local.length; i += 1) if (delimiter.includes(local[i])) return local.slice(0, i);
  return local;
}

/**
 * What every map takes as it stands: no blank, colon, quote or control that ends a key, no `#` and `-` in front that make
 * a comment or a negation, no `%`, `!` and `/` that route, no byte beyond ASCII.
 */
const FIT = /^[a-z0-9_][a-z0-9._+=&'~-]{0,63}$/;
/** Made for one message or one day: SRS, and BATV (prvs). */
const TEMPORARY = /^(?:srs[01][=+-]|prvs=|msprvs1=|btv1==)/;

export function unfit(key: string): Unfit | null {
  const local = key.slice(0, key.lastIndexOf('@'));
  if (!FIT.test(local)) return 'characters';
  return TEMPORARY.test(local) ? 'temporary' : null;
}
