/**
 * The lines of one chain -> its trace, as if the log had nothing else: what `trace` does for a whole log.
 *
 * Must not know where the lines were kept.
 */
import { Analysis } from '../analysis/analysis.ts';
import type { Suspect } from '../chains/chain.ts';
import type { Life } from '../chains/life.ts';
import { Clock } from '../lines/clock.ts';
import { HeadParser } from '../lines/head-parser.ts';
import { Names } from '../lines/names.ts';
import { Tags } from '../lines/tags.ts';
import type { Mta } from '../records/record.ts';
import type { Inside } from '../suspects/inside.ts';
import { acceptedByProxy } from './keeper.ts';
import type { StoredChain } from './line-store.ts';
import type { Trace } from './trace.ts';
import { Tracer } from './tracer.ts';
import { whatOf } from './what.ts';

export interface RetraceOptions {
  /** What it is suspected of, which may depend on chains before it. */
  readonly suspect: Suspect | null;
  /** End of the log so far, ms. */
  readonly now: number;
  readonly inside: Inside;
  /** As when the lines were read. */
  readonly mta: Mta | null;
  /** The lines themselves go with their events. */
  readonly raw: boolean;
}

/** Null where the lines give no chain of this id. */
export function retrace({ facts, lines }: StoredChain, options: RetraceOptions): Trace | null {
  const what = whatOf(facts.id);
  if (what === null) return null;
  const hosts = new Names();
  const tracer = new Tracer(what, { raw: options.raw, since: null, until: null, judged: () => null });
  let trace: Trace | null = null;
  const see = (root: Life): void => {
    if (root.id === facts.id && trace === null) {
      const { recipients, ...rest } = facts;
      Object.assign(root, rest);
      if (recipients !== null && root.recipients.length === 0) root.recipients = [...recipients];
      const found = { root, suspect: options.suspect, matchedBy: [], number: 0, lossy: false };
      trace = tracer.trace(found, (host) => hosts.text(host));
    }
    tracer.forget(root);
  };
  const { inside, mta } = options;
  const analysis = new Analysis({
    inside,
    mta,
    onChain: see,
    // A proxy's line tells of a session whose first line named no id: here it changes nothing, yet belongs to the chain.
    onLine: (taken, joiner) =>
      tracer.line({ ...taken, life: taken.life ?? acceptedByProxy(taken, joiner) }, joiner),
  });
  // Years and zones were settled when the lines were read first.
  const clock = new Clock({ zone: 'UTC', year: null, reference: options.now });
  const heads = new HeadParser(clock, hosts, new Tags());
  for (const { at, bytes } of lines) {
    const hasHead = heads.parse(bytes, 0, bytes.length);
    if (hasHead) heads.head.instant = at;
    analysis.lineWithHead(heads, hasHead, bytes, 0, bytes.length);
  }
  analysis.joiner.advance(options.now);
  tracer.endsAt(options.now);
  for (const root of analysis.pending()) see(root);
  return trace;
}
