/**
 * `dsnstat check`: a monitoring plugin. One line on standard output, exit status 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN.
 * With a state it judges all that the runs with it have read.
 */
import { lastReport } from '../findings/all.ts';
import { checkLine, checkState, unknownLine } from '../outputs/check-line.ts';
import type { CheckOptions } from './arguments.ts';
import { EXIT_UNKNOWN } from './errors.ts';
import { Output } from './output.ts';
import { checkWritable } from './saved-file.ts';
import { analyse } from './session.ts';

export async function runCheck(inputs: readonly string[], options: CheckOptions): Promise<number> {
  const output = new Output(options.output);
  if (options.state !== null) await checkWritable(options.state);
  const { analysis, complete, failed } = await analyse(
    inputs,
    { ...options, noProgress: true },
    { lean: true, state: options.state },
  );
  const report = lastReport(analysis.summary, analysis.pending(), {
    top: 0,
    complete,
    generatedAt: new Date(),
  });
  const useless = report.input.lines === 0 || Object.keys(report.statistics_by_mta).length === 0;
  let status: number = EXIT_UNKNOWN;
  if (!complete) output.add(unknownLine('interrupted'));
  else if (useless && !failed) output.add(unknownLine('no line of sendmail, Postfix or qmail was read'));
  else if (failed) output.add(unknownLine('some input could not be read; standard error says which'));
  else {
    status = checkState(report, options);
    output.add(checkLine(report, options));
  }
  await output.close();
  return status;
}
