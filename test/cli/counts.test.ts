/** Two counts that must agree: the figures of `report`, and the same recounted from `chains` by the contract's words. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Chain } from '../../src/chains/chain.ts';
import { samples } from '../support/golden.mjs';
import { chains, ROOT, report } from './program.ts';

const UTC = ['--tz', 'UTC'];
const LOGS = [
  ...samples(),
  ...readdirSync(join(ROOT, 'test/fixtures'))
    .filter((name) => name.endsWith('.gz'))
    .sort()
    .map((name) => join('test/fixtures', name)),
];

function count<T>(list: readonly T[], wanted: (of: T) => boolean): number {
  return list.reduce((n, entry) => n + (wanted(entry) ? 1 : 0), 0);
}

const failures = (chain: Chain) => count(chain.dsns, ({ kind }) => kind === 'failure');
const failed = (chain: Chain) =>
  failures(chain) > 0 ||
  chain.recipients.some(({ outcome }) => outcome === 'failed' || outcome === 'expired');

describe.each(LOGS)('%s', (log) => {
  const all = chains([...UTC, log]);
  const whole = report([...UTC, log]);
  const known = all.filter(({ headless }) => !headless);
  const incoming = known.filter(({ reverse_path }) => reverse_path !== '');
  const estimated = incoming.filter(failed);

  test('the five figures', () => {
    expect({
      incoming: incoming.length,
      estimated: estimated.length,
      actual: incoming.reduce((n, chain) => n + failures(chain), 0),
      suppressed: count(estimated, (chain) => chain.suppressed !== null),
    }).toEqual({
      incoming: whole.statistics.incoming,
      estimated: whole.statistics.estimated,
      actual: whole.statistics.actual,
      suppressed: whole.statistics.suppressed,
    });
    // Chains show final recipients only: an attempt that ended in an alias is in the figure, not in the list.
    const attempted = count(incoming, ({ recipients }) =>
      recipients.some(
        ({ attempts, outcome }) => attempts > 0 && outcome !== 'discarded' && outcome !== 'held',
      ),
    );
    expect(attempted).toBeLessThanOrEqual(whole.statistics.delivered);
    expect(whole.statistics.delivered).toBeLessThanOrEqual(whole.statistics.incoming);
  });

  test('accounting', () => {
    const without = estimated.filter((chain) => failures(chain) === 0 && chain.suppressed === null);
    expect({
      with_dsn: count(estimated, (chain) => failures(chain) > 0),
      suppressed: count(estimated, (chain) => chain.suppressed !== null),
      withheld: count(without, ({ ended }) => ended),
      open: count(without, ({ ended }) => !ended),
    }).toEqual(whole.accounting);
  });

  test('recipients, null senders and chains without a beginning', () => {
    const outcomes = known.flatMap(({ recipients }) => recipients.map(({ outcome }) => outcome));
    for (const [outcome, number] of Object.entries(whole.recipients)) {
      expect(
        count(outcomes, (one) => one === outcome),
        outcome,
      ).toBe(number);
    }
    expect(count(known, ({ reverse_path }) => reverse_path === '')).toBe(whole.incoming_null);
    expect(all.length - known.length).toBe(whole.input.headless_chains);
  });

  test('suspects, by verdict and by reason, by client and by whom they hit', () => {
    const suspects = all.flatMap(({ suspect }) => (suspect === null ? [] : [suspect]));
    const { backscatter } = whole;
    const reasons: Record<string, number> = {};
    for (const reason of suspects.flatMap((suspect) => suspect.reasons))
      reasons[reason] = (reasons[reason] ?? 0) + 1;
    expect({
      suspects: suspects.length,
      confirmed: count(suspects, ({ verdict }) => verdict === 'confirmed'),
      likely: count(suspects, ({ verdict }) => verdict === 'likely'),
      possible: count(suspects, ({ verdict }) => verdict === 'possible'),
      reasons,
    }).toEqual({
      suspects: backscatter.suspects,
      confirmed: backscatter.confirmed,
      likely: backscatter.likely,
      possible: backscatter.possible,
      reasons: backscatter.reasons,
    });
    const clients = new Map<string, number>();
    for (const { suspect, origin } of all)
      if (suspect !== null && origin.client_ip !== null)
        clients.set(origin.client_ip, (clients.get(origin.client_ip) ?? 0) + 1);
    const table = whole.tables.find(({ name }) => name === 'suspect_clients');
    for (const { key, count: n } of table?.rows ?? []) expect(clients.get(key), key).toBe(n);
    expect(table?.more_rows).toBe(Math.max(0, clients.size - 10));
    expect(backscatter.per_hour.reduce((n, step) => n + step.suspects, 0)).toBe(backscatter.suspects);
  });

  test('no DSN is in two chains, and none is reported that no chain has', () => {
    const dsns = all.flatMap((chain) => chain.dsns);
    for (const [kind, number] of Object.entries(whole.dsn)) {
      expect(
        count(dsns, (dsn) => dsn.kind === kind),
        kind,
      ).toBe(number);
    }
  });
});
