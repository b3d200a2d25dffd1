/**
 * A list of recipients as a map: sendmail access, Postfix relay_recipient_maps, qmail validrcptto.
 *
 * Owns the form of map lines. An address is written only if it is fit (recipients/addresses.ts); nothing of the log but
 * such addresses gets into a map, not even into its comments.
 */
import type { RecipientList } from '../recipients/list.ts';

export type MapFormat = 'sendmail' | 'postfix' | 'qmail';

export function recipientsMap(list: RecipientList, format: MapFormat): string {
  const lines = [
    `Made by dsnstat from a log of ${list.period.from ?? 'unknown time'} to ${list.period.to ?? 'unknown time'}.`,
    'Valid addresses without mail in that time are missing here and would be refused: add them first.',
    ...HEADS[format],
  ].map((line) => `# ${line}`);
  for (const domain of list.domains) {
    if (domain.too_little.length > 0)
      lines.push(
        `# ${domain.domain}: too little evidence, written all the same: ${domain.too_little.join(', ')}.`,
      );
    const addresses = new Set<string>();
    for (const r of list.recipients)
      if (r.domain === domain.domain && r.state === 'valid' && r.unfit === null) addresses.add(r.address);
    const postmaster = `postmaster@${domain.domain}`;
    lines.push(
      `# ${domain.domain}: ${addresses.size} addresses by ${domain.deliveries} deliveries${addresses.has(postmaster) ? '' : ', and postmaster (RFC 5321 section 4.5.1)'}.`,
    );
    addresses.add(postmaster);
    for (const address of [...addresses].sort()) lines.push(entry(address, format));
  }
  // Closing: whoever is not named above is unknown.
  if (format === 'sendmail')
    for (const { domain } of list.domains) lines.push(`To:${domain}\terror:5.1.1:"550 User unknown"`);
  return `${lines.join('\n')}\n`;
}

function entry(address: string, format: MapFormat): string {
  switch (format) {
    case 'sendmail':
      return `To:${address}\tRELAY`;
    case 'postfix':
      return `${address}\tOK`;
    default:
      return address;
  }
}

const HEADS: Readonly<Record<MapFormat, readonly string[]>> = {
  sendmail: [
    'sendmail access map: add to /etc/mail/access, then makemap hash /etc/mail/access < /etc/mail/access',
    "Needs FEATURE(`access_db') and FEATURE(`blacklist_recipients') (`blocklist_recipients' since 8.16); relaying is",
    "allowed by relay-domains, or by FEATURE(`access_db', , `relaytofulladdress').",
    'The closing lines refuse the subdomains of their domains as well.',
  ],
  postfix: [
    'Postfix: relay_recipient_maps = texthash:FILE (or hash:FILE after postmap FILE).',
    'For domains in relay_domains; refuses whoever is not listed.',
  ],
  qmail: ['qmail with the validrcptto patch: control/validrcptto, or the source of validrcptto.cdb.'],
};
