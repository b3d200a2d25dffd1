/**
 * Many DSNs of suspects go to one address or domain: somebody is being bombed through us.
 */
import { domainOf } from '../dsn/address.ts';
import { BURST } from '../suspects/repeats.ts';
import { concerns, number, type Rule } from './rule.ts';

/** A domain is hit from so many suspects on, if that is so much of them. */
const DOMAIN_LEAST = 50;
const DOMAIN_PART = 0.25;
const CRITICAL = 100;

export const bombedVictim: Rule = ({ all }) => {
  const { suspects } = all;
  const [address, atAddress] = suspects.victims.most() ?? ['', 0];
  const [domain, atDomain] = suspects.victimDomains.most() ?? ['', 0];
  const one = atAddress >= BURST;
  const many = atDomain >= DOMAIN_LEAST && atDomain >= DOMAIN_PART * suspects.suspects;
  if (!one && !many) return null;
  const said: string[] = [];
  if (one) said.push(`${number(atAddress, 'suspect')} sent their DSNs to ${address}.`);
  if (many) said.push(`${number(atDomain, 'suspect')} of ${suspects.suspects} sent them to ${domain}.`);
  return {
    id: 'bombed_victim',
    severity: Math.max(one ? atAddress : 0, many ? atDomain : 0) >= CRITICAL ? 'critical' : 'warning',
    title: one ? 'One address gets many of our DSNs' : 'One domain gets many of our DSNs',
    text: said.join(' '),
    why: 'Somebody uses this host to bomb a third party, or sends spam in its name. Its owner will list us.',
    counts: { to_address: atAddress, to_domain: atDomain, suspects: suspects.suspects },
    concerns: concerns(one ? suspects.victims : suspects.victimDomains),
    examples: suspects.byVictim.examples(
      one ? address : (suspects.victims.most((key) => domainOf(key) === domain)?.[0] ?? ''),
    ),
    undecided: null,
    remedies: [],
  };
};
