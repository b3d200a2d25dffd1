/** `--anonymise`: nothing that names anybody in the input is in the output, in any format. */
import { describe, expect, test } from 'vitest';
import { samples } from '../support/golden.mjs';
import { chains, linesOf, output, report } from './program.ts';

/** Reserved names that the stand-ins themselves use. */
const STAND_IN = /^(?:domain\d*\.example|.*\.domain\d*\.example)$/;

/** Addresses, IPs and host names of a log, in lower case. */
function namesIn(sample: string): Set<string> {
  const names = new Set<string>();
  for (const chain of chains([sample])) {
    const texts = [
      chain.reverse_path,
      chain.origin.client_ip,
      chain.origin.client_name,
      chain.origin.auth_user,
      chain.message_id,
    ];
    for (const r of chain.recipients) texts.push(r.recipient, r.original_recipient);
    for (const d of chain.dsns) texts.push(d.recipient);
    for (const text of texts) if (text && /[@.:]/.test(text)) names.add(text.toLowerCase());
    if (chain.host) names.add(chain.host.toLowerCase());
  }
  const text = linesOf(sample).join('\n');
  for (const [address] of text.matchAll(/[\w.+=-]+@[a-z\d-]+(?:\.[a-z\d-]+)+/gi)) {
    names.add(address.toLowerCase());
    names.add(address.slice(address.indexOf('@') + 1).toLowerCase());
  }
  for (const [, ip] of text.matchAll(/\[(\d+\.\d+\.\d+\.\d+|[\da-f]*:[\da-f:]+)\]/gi))
    names.add(ip.toLowerCase());
  for (const [, host] of text.matchAll(/relay=([a-z\d-]+(?:\.[a-z\d-]+)+)\.?[ [,]/gi))
    names.add(host.toLowerCase());
  return new Set([...names].filter((name) => !STAND_IN.test(name)));
}

/** The names that occur in a text, as whole words. */
function leaks(names: Set<string>, text: string): string[] {
  const plain = text.toLowerCase();
  return [...names].filter((name) => {
    const pattern = name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
    return new RegExp(`(?<![\\w.-])${pattern}(?![\\w-]|\\.\\w)`).test(plain);
  });
}

const RUNS = [
  ...['text', 'est-dsn', 'json', 'html', 'prometheus'].map((format) => ['report', '--format', format]),
  ...[
    'statistics',
    'dsn_reasons',
    'dsn_domains',
    'refusing_relays',
    'notes',
    'findings',
    'suspect_clients',
    'suspect_victims',
  ].map((table) => ['report', '--format', 'csv', '--table', table]),
  ...['ndjson', 'csv', 'text'].map((format) => ['chains', '--format', format]),
];

describe.each(samples())('%s', (sample) => {
  const names = namesIn(sample);

  test('there are names to hide, and without the option they are seen', () => {
    expect(names.size).toBeGreaterThan(2);
    expect(leaks(names, output(['chains', sample])).length).toBeGreaterThan(2);
  });

  test.each(RUNS.map((args) => [args.join(' '), args] as const))('%s has none of them', (_, args) => {
    const all = args[0] === 'report' ? ['--top', '1000'] : [];
    // A report names no hosts by their short names, but a host may be called like a word of its own: "mail".
    const judged = args[0] === 'report' ? new Set([...names].filter((name) => /[@.:]/.test(name))) : names;
    expect(leaks(judged, output([...args, '--anonymise', ...all, sample]))).toEqual([]);
  });

  test('the figures stay', () => {
    const { tables: _, findings, ...anonymous } = report(['--anonymise', sample]);
    const { tables: __, findings: namedFindings, ...named } = report([sample]);
    expect(anonymous).toEqual(named);
    expect(findings.map(({ id, severity, counts }) => ({ id, severity, counts }))).toEqual(
      namedFindings.map(({ id, severity, counts }) => ({ id, severity, counts })),
    );
  });

  test('the same one has the same stand-in', () => {
    const named = chains([sample]);
    const anonymous = chains(['--anonymise', sample]);
    expect(anonymous.length).toBe(named.length);
    const known = new Map<string, string>();
    for (const [i, chain] of named.entries()) {
      const from = chain.reverse_path;
      const to = anonymous[i].reverse_path;
      if (from === null || from === '' || to === null) {
        expect(to).toBe(from);
        continue;
      }
      expect(known.get(from) ?? to).toBe(to);
      known.set(from, to);
    }
    expect(new Set(known.values()).size).toBe(known.size);
  });
});
