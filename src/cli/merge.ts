/**
 * `dsnstat merge`: one report from saved summaries.
 *
 * Reads every file twice: once for what it has, once in the order that makes the sum (analysis/merging.ts). One summary
 * at a time is in memory, beside what is pending of its hosts.
 */
import { stat } from 'node:fs/promises';
import { Analysis, type AnalysisOptions } from '../analysis/analysis.ts';
import { arrange, hostsOf, type Mergeable } from '../analysis/merging.ts';
import { readHeader, SavedDamage, type SavedHeader, SavedReader, savedLines } from '../analysis/saved.ts';
import type { JsonObject } from '../chains/saved.ts';
import { lastReport } from '../findings/all.ts';
import { Names } from '../lines/names.ts';
import { Tags } from '../lines/tags.ts';
import { anonymiseReport } from '../outputs/anonymise.ts';
import { identityOf } from '../source/source.ts';
import { boundTables } from '../summary/counter.ts';
import { Summary } from '../summary/summary.ts';
import { Inside, type InsideEntry } from '../suspects/inside.ts';
import type { ReportOptions } from './arguments.ts';
import { complain, EXIT_DONE, EXIT_FAILED, UsageError } from './errors.ts';
import { Output } from './output.ts';
import { render } from './report.ts';
import { checkWritable, readSaved, wordsOf, writeSaved } from './saved-file.ts';
import { version } from './version.ts';

/** One summary in a file: a file may hold several, one after the other. */
interface Found extends Mergeable {
  readonly path: string;
  readonly from: number;
  readonly to: number;
}

export async function runMerge(paths: readonly string[], options: ReportOptions): Promise<number> {
  if (paths.length === 0)
    throw new UsageError('merge needs summaries: name files that dsnstat report --save wrote');
  boundTables(options.maxKeys);
  const output = new Output(options.output);
  if (options.save !== null) await checkWritable(options.save);
  const { found, failed } = await findAll(paths);
  const parts = withoutDoubles(found);
  if (parts.length === 0) return EXIT_FAILED;
  sameOptions(parts);
  const { chains, overlaps } = arrange(parts);
  for (const [a, b] of overlaps) {
    const host = [...hostsOf(a.header)].find((name) => hostsOf(b.header).has(name));
    const whose = host === undefined || host === '' ? 'lines without a host' : `host ${host}`;
    complain(`${b.path}: overlaps in time with ${a.path} (${whose}); what is in both logs is counted twice`);
  }
  const total = new Summary(jobOf(parts[0].header.options).inside);
  const lines = mergedLines(chains, total, options.save !== null);
  // Without --save it gives none, and merges all the same.
  if (options.save === null) await lines.next();
  else await writeSaved(options.save, lines);
  let report = lastReport(total, [], {
    top: options.top,
    complete: parts.every(({ header }) => header.complete),
    generatedAt: new Date(),
  });
  if (options.anonymise) report = anonymiseReport(report);
  output.add(await render(report, options));
  await output.close();
  return failed ? EXIT_FAILED : EXIT_DONE;
}

/** What is in the files; those that cannot be read are told, and the others are used. */
async function findAll(paths: readonly string[]): Promise<{ found: Found[]; failed: boolean }> {
  const found: Found[] = [];
  const seen = new Map<string, string>();
  let failed = false;
  for (const path of paths) {
    try {
      const facts = await stat(path).catch(() => null);
      const known = facts === null ? undefined : seen.get(identityOf(facts));
      if (known !== undefined) {
        complain(`${path}: the same file as ${known}; it is counted once`);
        continue;
      }
      if (facts !== null) seen.set(identityOf(facts), path);
      found.push(...(await partsIn(path)));
    } catch (error) {
      failed = true;
      complain(error instanceof SavedDamage ? new Error(`${path}: ${error.message}`) : error);
    }
  }
  return { found, failed };
}

async function partsIn(path: string): Promise<Found[]> {
  const found: Found[] = [];
  let header: SavedHeader | null = null;
  let from = 0;
  await readSaved(path, (line, at) => {
    if (header === null) {
      if (line.trim() === '') return;
      header = readHeader(line);
      from = at;
    } else if (line.startsWith('{"end":')) {
      found.push({ header, sum: line, path, from, to: at + Buffer.byteLength(line) + 1 });
      header = null;
    }
  });
  if (header !== null) throw new SavedDamage('cut off: its end is missing');
  if (found.length === 0) throw new SavedDamage('empty');
  return found;
}

function withoutDoubles(found: readonly Found[]): Found[] {
  const bySum = new Map<string, Found>();
  for (const part of found) {
    const known = bySum.get(part.sum);
    if (known === undefined) bySum.set(part.sum, part);
    else complain(`${part.path}: the same summary as in ${known.path}; it is counted once`);
  }
  return [...bySum.values()];
}

/** Summaries of other windows or other MTAs do not add up to anything that has a name. */
function sameOptions(parts: readonly Found[]): void {
  const [{ header: first, path }] = parts;
  for (const { header, path: other } of parts) {
    if (JSON.stringify(header.options) === JSON.stringify(first.options)) continue;
    throw new Error(
      `${other} and ${path} do not add up: they were saved with other options (${wordsOf(header.options)}; ${wordsOf(first.options)}); save them with the same`,
    );
  }
}

/** Merges chain by chain into `total`, pending messages as they stand; gives the lines of each chain's summary. */
async function* mergedLines(
  chains: readonly (readonly Found[])[],
  total: Summary,
  wanted: boolean,
): AsyncGenerator<string, void, void> {
  for (const chain of chains) {
    const hosts = new Names();
    const tags = new Tags();
    const options = jobOf(chain[0].header.options);
    const merged = new Analysis({ ...options, leftOpen: true });
    let complete = true;
    for (const { path, from, to } of chain) {
      const reader = new SavedReader(hosts, tags, ({ header, analysis }) => {
        complete &&= header.complete;
        merged.merge(analysis);
      });
      try {
        await readSaved(path, (line) => reader.take(line), { from, to });
        reader.finish();
      } catch (error) {
        throw error instanceof SavedDamage ? new Error(`${path}: ${error.message}`) : error;
      }
    }
    if (wanted) {
      yield* savedLines(merged, hosts, {
        kind: 'summary',
        program: version(),
        complete,
        options: chain[0].header.options,
      });
    }
    const whole = new Analysis(options);
    whole.merge(merged);
    total.merge(whole.summary);
    for (const root of whole.pending()) total.tally(root);
  }
}

/** What analyses of the saved ones must know. */
function jobOf(options: JsonObject): Pick<AnalysisOptions, 'since' | 'until' | 'inside'> {
  const at = (value: unknown): number | null => (typeof value === 'string' ? Date.parse(value) : null);
  const inside = new Inside((options.inside ?? []) as unknown as readonly InsideEntry[]);
  return { since: at(options.since), until: at(options.until), inside };
}
