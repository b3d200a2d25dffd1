/**
 * DSN storms and loops: one message with very many DSNs, or an hour with many times the usual number.
 */
import { number, type Rule } from './rule.ts';

/** An hour is a storm from so many DSNs on, if they are so many times the median hour. */
const LEAST = 100;
const TIMES = 10;
const HOUR = 3_600_000;

export const dsnStorm: Rule = ({ all }) => {
  const { traffic } = all;
  const loops = traffic.evidence.count('dsn_storm');
  const hours = [...traffic.dsnHours].sort((a, b) => b[1] - a[1] || a[0] - b[0]);
  const median = medianOf(
    all.hours.size === 0
      ? []
      : quietHoursToo(
          hours.map(([, n]) => n),
          all.hours.size,
        ),
  );
  const storms = hours.filter(([, n]) => n >= LEAST && n >= TIMES * Math.max(1, median));
  if (loops === 0 && storms.length === 0) return null;
  const said: string[] = [];
  if (storms.length > 0) {
    said.push(
      `${number(storms.length, 'hour')} with ${TIMES} times the usual number of DSNs or more: up to ` +
        `${storms[0][1]} in the hour of ${hourText(storms[0][0])} (the median hour has ${median}).`,
    );
  }
  if (loops > 0)
    said.push(
      `${number(loops, 'message')} caused more than ten DSNs each: something answers the DSNs, or they answer each other.`,
    );
  return {
    id: 'dsn_storm',
    severity: 'critical',
    title: loops > 0 ? 'DSNs in a loop' : 'A storm of DSNs',
    text: said.join(' '),
    why: 'A spam run, a broken forward or an auto-reply that answers DSNs; it fills the queue and gets this host listed.',
    counts: {
      hours: storms.length,
      most_in_an_hour: storms[0]?.[1] ?? 0,
      median_hour: median,
      messages: loops,
    },
    concerns: storms.slice(0, 5).map(([hour, n]) => ({ key: hourText(hour), count: n })),
    examples: traffic.evidence.examples('dsn_storm'),
    undecided:
      loops > 0 ? null : 'Which messages made a storm: dsnstat chains --with-dsn --since HOUR shows them.',
    remedies: [],
  };
};

/** Hours without a DSN count, too: there were so many hours with mail. */
function quietHoursToo(counts: readonly number[], hours: number): number[] {
  return [...counts, ...Array<number>(Math.max(0, hours - counts.length)).fill(0)];
}

function medianOf(counts: readonly number[]): number {
  const sorted = [...counts].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
}

function hourText(hour: number): string {
  const at = new Date(hour * HOUR);
  return Number.isNaN(at.getTime()) ? 'an unknown time' : `${at.toISOString().slice(0, 13)}:00Z`;
}
