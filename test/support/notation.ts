/**
 * Answers in the words of a story: one line per chain, a few words per figure.
 *
 * Owns the notation (test/stories/README.md). What a story does not ask for is not printed: times, relays, clients
 * would drown what it is about.
 */
import type { Chain, ChainDsn, ChainRecipient } from '../../src/chains/chain.ts';
import type { Report } from '../../src/summary/report.ts';

/** Parts of a chain that are printed only where a story's own lines have them. */
const OPTIONAL: Record<string, (chain: Chain) => string> = {
  mta: (chain) => chain.mta,
  host: (chain) => chain.host ?? '?',
  client: (chain) => `${chain.origin.client_name ?? ''}[${chain.origin.client_ip ?? ''}]`,
  origin: (chain) => chain.origin.kind,
  user: (chain) => chain.origin.auth_user ?? '?',
  size: (chain) => String(chain.size ?? '?'),
  'message-id': (chain) => chain.message_id ?? '?',
  first: (chain) => chain.first_seen ?? '?',
  last: (chain) => chain.last_seen ?? '?',
};

interface Wanted {
  readonly parts: readonly string[];
  readonly via: boolean;
  readonly said: boolean;
  readonly because: boolean;
}

function wantedBy(expected: readonly string[]): Wanted {
  const text = expected.join('\n');
  return {
    parts: Object.keys(OPTIONAL).filter((part) => text.includes(` | ${part} `)),
    via: text.includes(' via '),
    said: text.includes(' said "'),
    because: text.includes(' because "'),
  };
}

/** The chains in the notation, with as much detail as the expected lines have; sorted, as chains have no order. */
export function printChains(chains: readonly Chain[], expected: readonly string[]): string {
  const wanted = wantedBy(expected);
  return sorted(chains.map((chain) => printChain(chain, wanted)));
}

export function sorted(lines: readonly string[]): string {
  return [...lines].sort().join('\n');
}

function printChain(chain: Chain, wanted: Wanted): string {
  const qp = chain.qp === undefined || chain.qp === null ? '' : `/${chain.qp}`;
  const path = chain.reverse_path === null ? '?' : chain.reverse_path;
  const recipients = chain.recipients.map((r) => printRecipient(r, wanted));
  const parts = [
    `${chain.queue_ids.join('+')}${qp} <${path}> -> ${recipients.join(', ') || 'nobody'}`,
    ...chain.dsns.map((dsn) => printDsn(dsn, chain, wanted)),
  ];
  if (chain.suppressed !== null) parts.push(`suppressed ${chain.suppressed.cause}`);
  if (chain.headless) parts.push('headless');
  if (!chain.ended) parts.push('open');
  for (const part of wanted.parts) parts.push(`${part} ${OPTIONAL[part](chain)}`);
  return parts.join(' | ');
}

function printRecipient(r: ChainRecipient, wanted: Wanted): string {
  let text = address(r.recipient);
  if (r.original_recipient !== null) text += ` (for ${address(r.original_recipient)})`;
  text += ` ${r.outcome}`;
  if (r.status !== null) text += ` ${r.status}`;
  if (r.attempts > 1) text += ` x${r.attempts}`;
  if (wanted.via) text += ` via ${r.relay ?? '?'}`;
  if (wanted.said) text += ` said "${r.reply ?? ''}"`;
  return text;
}

function printDsn(dsn: ChainDsn, chain: Chain, wanted: Wanted): string {
  let text = `dsn ${dsn.kind} ${dsn.queue_id ?? '?'}`;
  if (dsn.parent_queue_id !== chain.queue_id) text += ` of ${dsn.parent_queue_id}`;
  text += ` -> ${address(dsn.recipient)} ${dsn.outcome}`;
  if (dsn.status !== null) text += ` ${dsn.status}`;
  if (wanted.because) text += ` because "${dsn.reason ?? ''}"`;
  return text;
}

/** Quoted where it would be taken for two. */
function address(text: string | null): string {
  if (text === null) return '?';
  return text === '' || /[\s,|]/.test(text) ? JSON.stringify(text) : text;
}

type Counts = Record<string, number>;

/** Every figure that a story may name, by group. The first group needs no name. */
function groupsOf(report: Report): Record<string, Counts> {
  const { recorded, ignored, foreign, unrecognised, malformed } = report.input;
  return {
    statistics: { ...report.statistics },
    accounting: { ...report.accounting },
    dsn: { ...report.dsn },
    recipients: { ...report.recipients },
    rejected: { ...report.rejected },
    lines: { recorded, ignored, foreign, unrecognised, malformed },
    chains: { headless: report.input.headless_chains, incoming_null: report.incoming_null },
  };
}

/** `incoming 1 delivered 1` or `dsn failure 1 delay 0`: the same line with the report's numbers. */
export function printFigures(report: Report, expected: readonly string[]): string {
  const groups = groupsOf(report);
  return expected
    .map((line) => {
      const words = line.split(' ').filter((word) => word !== '');
      const named = words[0] in groups;
      const counts = groups[named ? words[0] : 'statistics'];
      const keys = (named ? words.slice(1) : words).filter((_, i) => i % 2 === 0);
      const printed = keys.map((key) => `${key} ${counts[key] ?? 'unknown to the report'}`);
      return [...(named ? [words[0]] : []), ...printed].join(' ');
    })
    .join('\n');
}

/** The same line as it was written, blanks aside. */
export function plainFigures(expected: readonly string[]): string {
  return expected
    .map((line) =>
      line
        .split(' ')
        .filter((word) => word !== '')
        .join(' '),
    )
    .join('\n');
}
