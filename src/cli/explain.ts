/**
 * `dsnstat explain`: what a received bounce is, and with logs, the chain that caused it.
 */
import { explainMail } from '../explain/explain.ts';
import type { Explanation } from '../explain/explanation.ts';
import { Search } from '../explain/search.ts';
import type { Names } from '../lines/names.ts';
import { Anonymiser } from '../outputs/anonymise.ts';
import { jsonText } from '../outputs/escape.ts';
import { explanationText } from '../outputs/explanation-text.ts';
import type { ExplainOptions } from './arguments.ts';
import { useColor } from './color.ts';
import { complain, EXIT_DONE, EXIT_FAILED, EXIT_INTERRUPTED, UsageError } from './errors.ts';
import { mailsOf } from './mails.ts';
import { Output } from './output.ts';
import { analyse } from './session.ts';

/** Explanations wait in memory while the logs are read, some kilobytes each. */
const MOST_MAILS = 5000;

export async function runExplain(inputs: readonly string[], options: ExplainOptions): Promise<number> {
  const [path, ...logs] = inputs;
  if (path === undefined) {
    throw new UsageError('explain needs a mail: dsnstat explain BOUNCE.eml [LOG]...; - is standard input');
  }
  if (path === '-' && logs.includes('-')) {
    throw new UsageError('standard input is the mail; name the log files');
  }
  const output = new Output(options.output);
  const print = printer(options);
  let failed = false;
  let found = 0;
  const waiting: Explanation[] = [];
  const mails = mailsOf(path, (problem) => {
    complain(problem);
    failed = true;
  });
  for await (const { path: file, raw } of mails) {
    if (waiting.length === MOST_MAILS) {
      complain(
        `${path}: more than ${MOST_MAILS} mails; the rest is not looked for in the logs, and not printed`,
      );
      failed = true;
      break;
    }
    const explanation = await explainMail(raw, file);
    if (explanation === null) {
      const which = raw.number === null ? '' : `mail ${raw.number} is `;
      complain(
        `${file}: ${which}not a mail: no header fields such as From or Date; give the bounce as it was received`,
      );
      failed = true;
      continue;
    }
    found += 1;
    if (logs.length > 0) {
      waiting.push(explanation);
      continue;
    }
    output.add(print(explanation));
    if (output.full) await output.flush();
  }
  if (found === 0 && !failed) {
    complain(`${path}: empty; no mail to explain`);
    failed = true;
  }
  let complete = true;
  if (waiting.length > 0) {
    const session = await search(waiting, logs, options);
    complete = session.complete;
    if (session.failed) failed = true;
    for (const explanation of waiting) {
      output.add(print(explanation));
      if (output.full) await output.flush();
    }
  }
  await output.close();
  if (!complete) return EXIT_INTERRUPTED;
  return failed ? EXIT_FAILED : EXIT_DONE;
}

/** Fills in what the logs know. */
async function search(
  explanations: readonly Explanation[],
  logs: readonly string[],
  options: ExplainOptions,
): Promise<{ complete: boolean; failed: boolean }> {
  const searching = new Search(explanations);
  let hosts: Names | null = null;
  const hostName = (host: number): string => hosts?.text(host) ?? '';
  const { analysis, ...session } = await analyse(logs, options, {
    onChain: (root) => searching.take(root, hostName),
    onStart: (names) => {
      hosts = names;
    },
  });
  for (const root of analysis.pending()) searching.take(root, hostName);
  const names = Array.from({ length: session.hosts.size }, (_, i) => session.hosts.text(i + 1));
  const { from, to } = analysis.summary;
  const whole = session.complete && !session.failed;
  for (const [i, findings] of searching.findings(names, from, to, whole).entries()) {
    explanations[i].log = findings;
  }
  return session;
}

function printer(options: ExplainOptions): (explanation: Explanation) => string {
  const anonymiser = options.anonymise ? new Anonymiser() : null;
  const shown = (explanation: Explanation): Explanation =>
    anonymiser === null ? explanation : anonymiser.explanation(explanation);
  if (options.format === 'ndjson') return (explanation) => `${jsonText(shown(explanation))}\n`;
  const style = { color: useColor(options, process.stdout), zone: options.tz };
  return (explanation) => explanationText(shown(explanation), style);
}
