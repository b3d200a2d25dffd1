/**
 * `dsnstat report`: one report over all input.
 */

import { Analysis } from '../analysis/analysis.ts';
import { lastReport } from '../findings/all.ts';
import type { Report } from '../summary/report.ts';
import { Summary } from '../summary/summary.ts';
import { reportOf } from '../summary/view.ts';
import { Inside } from '../suspects/inside.ts';
import type { ReportOptions } from './arguments.ts';
import { useColor } from './color.ts';
import { complain, EXIT_DONE, EXIT_FAILED, EXIT_INTERRUPTED } from './errors.ts';
import { Output } from './output.ts';
import { analyse, savedOptions } from './session.ts';
import { version } from './version.ts';

export async function runReport(inputs: readonly string[], options: ReportOptions): Promise<number> {
  // What is wrong with the output is told before hours of input are read.
  const output = new Output(options.output);
  if (options.table !== null)
    await (await import('../outputs/report-csv.ts')).reportCsv(emptyReport(options), options.table);
  for (const path of [options.state, options.save])
    if (path !== null) await (await import('./saved-file.ts')).checkWritable(path);
  // A part that may be merged with older ones. With a state, the log begins where its first run did.
  const keeping = options.save !== null && options.state === null;
  const session = await analyse(inputs, options, { lean: true, state: options.state, leftOpen: keeping });
  let failed = session.failed;
  if (options.save !== null && session.analysis.summary.lines.some((n) => n > 0)) {
    const header = { kind: 'summary', program: version(), complete: session.complete } as const;
    const { savedLines } = await import('../analysis/saved.ts');
    const { writeSaved } = await import('./saved-file.ts');
    const lines = savedLines(session.analysis, session.hosts, { ...header, options: savedOptions(options) });
    // The report is still wanted where the disk is full.
    await writeSaved(options.save, lines).catch((error: unknown) => {
      complain(error);
      failed = true;
    });
  }
  const analysis = keeping ? whole(session.analysis, options) : session.analysis;
  let report = lastReport(analysis.summary, analysis.pending(), {
    top: options.top,
    complete: session.complete,
    generatedAt: new Date(),
  });
  if (options.anonymise) report = (await import('../outputs/anonymise.ts')).anonymiseReport(report);
  // A log without any mail of ours has no report; the reason has been said.
  if (session.complete && failed && report.input.lines === 0) return EXIT_FAILED;
  output.add(await render(report, options));
  await output.close();
  if (!session.complete) return EXIT_INTERRUPTED;
  return failed ? EXIT_FAILED : EXIT_DONE;
}

/** The analysis of a piece as that of a log that has nothing before it. */
function whole(piece: Analysis, { since, until, inside }: ReportOptions): Analysis {
  const analysis = new Analysis({ since, until, inside: new Inside(inside) });
  analysis.merge(piece);
  return analysis;
}

function emptyReport(options: ReportOptions): Report {
  return reportOf(new Summary(), [], { top: options.top, complete: true, generatedAt: new Date() });
}

/** The report in the format that was asked for. Only that one is loaded: a hundred small files are half of a short run. */
export async function render(report: Report, options: ReportOptions): Promise<string> {
  switch (options.format) {
    case 'json':
      return (await import('../outputs/report-json.ts')).reportJson(report);
    case 'est-dsn':
      return (await import('../outputs/report-est-dsn.ts')).reportEstDsn(report);
    case 'csv':
      return (await import('../outputs/report-csv.ts')).reportCsv(report, options.table);
    case 'html':
      return (await import('../outputs/report-html.ts')).reportHtml(report, { zone: options.tz });
    case 'prometheus':
      return (await import('../outputs/report-prometheus.ts')).reportPrometheus(report);
    default:
      return (await import('../outputs/report-text.ts')).reportText(report, {
        color: useColor(options, process.stdout),
        width: process.stdout.columns ?? 100,
        zone: options.tz,
      });
  }
}
