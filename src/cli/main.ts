#!/usr/bin/env node
/**
 * The command line: from arguments to a command to an exit status. The only place that exits.
 */
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';
import { commandOf, parseArguments } from './arguments.ts';
import { complain, EXIT_DONE, EXIT_FAILED, EXIT_UNKNOWN, guardStreams, reasonOf } from './errors.ts';
import { helpText } from './help.ts';
import { version } from './version.ts';

async function main(): Promise<number> {
  const args = parseArguments(process.argv.slice(2));
  switch (args.command) {
    case 'help':
      process.stdout.write(helpText(args.about));
      return EXIT_DONE;
    case 'version':
      process.stdout.write(`dsnstat ${version()}\n`);
      return EXIT_DONE;
    case 'check':
      return (await import('./check.ts')).runCheck(args.inputs, args.options);
    case 'chains':
      return (await import('./chains.ts')).runChains(args.inputs, args.options);
    case 'trace':
      return (await import('./trace.ts')).runTrace(args.what, args.inputs, args.options);
    case 'recipients':
      return (await import('./recipients.ts')).runRecipients(args.inputs, args.options);
    case 'explain':
      return (await import('./explain.ts')).runExplain(args.inputs, args.options);
    case 'probe':
      return (await import('./probe.ts')).runProbe(args.inputs, args.options);
    case 'watch':
      return (await import('./watch.ts')).runWatch(args.inputs, args.options);
    case 'merge':
      return (await import('./merge.ts')).runMerge(args.inputs, args.options);
    default:
      return (await import('./report.ts')).runReport(args.inputs, args.options);
  }
}

/**
 * Young objects get 2 x 4 MB; V8 would take 2 x 16. Nearly all die at once: no time that could be measured, and 35 MB less
 * (80 on Node 24). With 2 x 1 MB, runs that make an object of each line took a fifth longer.
 */
function boundYoungSpace(): void {
  const look = setInterval(() => {
    const young = getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space');
    // Again and again: each thread that is started sets it back.
    if (young !== undefined && young.space_size >= YOUNG_SPACE)
      setFlagsFromString('--semi-space-growth-factor=1');
  }, 20);
  look.unref();
}

const YOUNG_SPACE = 8 << 20;

// Live data are some 30 MB whatever the log's size; the garbage that V8 lets pile up beside them, fourfold by default,
// was half of the memory of a run. Twofold costs no time that could be measured (bench/README.md).
setFlagsFromString('--heap-growing-percent=100');
// The kernel's code is optimised after less use than V8 waits for: a tenth off a run of some seconds.
setFlagsFromString('--wasm-tiering-budget=100000');
boundYoungSpace();
guardStreams();
main().then(
  (status) => {
    // Not process.exit(): what is on its way to a pipe must arrive.
    process.exitCode = status;
    process.stdin.destroy();
  },
  async (error: unknown) => {
    complain(error);
    process.exitCode = EXIT_FAILED;
    if (commandOf(process.argv.slice(2)) === 'check') {
      // A plugin's 2 is CRITICAL: what could not be judged is 3.
      process.exitCode = EXIT_UNKNOWN;
      process.stdout.write((await import('../outputs/check-line.ts')).unknownLine(reasonOf(error)));
    }
    process.stdin.destroy();
  },
);
