#!/usr/bin/env node
// The screen of `dsnstat watch` under load, in a terminal of its own (script(1)): how long keys wait, what is lost,
// how memory goes, what it costs at rest.
//   node bench/watch.mjs flood|replay|rest [--log FILE] [--rate 50000] [--seconds 60] [--columns 120] [--rows 40] [--program MAIN.js]
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { measure } from './measure.mjs';
import { Screen } from './watch-screen.mjs';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const MB = 1e6;

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      log: { type: 'string', default: join(HERE, '.data/watch-postfix.log') },
      rate: { type: 'string', default: '50000' },
      seconds: { type: 'string', default: '60' },
      columns: { type: 'string', default: '120' },
      rows: { type: 'string', default: '40' },
      // For node: --cpu-prof, --heapsnapshot-signal=SIGUSR2 ...
      flags: { type: 'string', default: '' },
      program: { type: 'string', default: join(HERE, '../dist/dsnstat.js') },
    },
  });
  const mode = positionals[0];
  const run = { flood, replay, rest }[mode];
  if (run === undefined) {
    console.error('watch: flood, replay or rest is meant');
    process.exit(2);
  }
  const options = { ...values, rate: Number(values.rate), seconds: Number(values.seconds) };
  if (mode !== 'rest' && !existsSync(options.log)) {
    const size = mode === 'replay' ? '1G' : `${Math.ceil((options.rate * options.seconds * 160) / MB)}M`;
    console.error(`making ${options.log}, ${size}`);
    const args = ['--mta', 'postfix', '--size', size, '--out', options.log];
    await measure(process.execPath, [join(HERE, 'generate.mjs'), ...args]);
  }
  const folder = mkdtempSync(join(tmpdir(), 'dsnstat-bench-'));
  try {
    await run(options, folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

// ---- what is measured

/** Lines are appended at a steady rate while keys are pressed. @param {any} options @param {string} folder */
async function flood(options, folder) {
  const path = join(folder, 'mail.log');
  writeFileSync(path, '');
  const screen = new Screen(['watch', '--tz', 'UTC', path], folder, options);
  await screen.until((text) => /LIVE/.test(text), 20_000);
  const shared = new Int32Array(new SharedArrayBuffer(8));
  const { log, rate, seconds } = options;
  const feeder = new Worker(new URL('./watch-feeder.mjs', import.meta.url), {
    workerData: { log, path, rate, seconds, shared },
  });
  const fed = new Promise((resolve, reject) => feeder.once('exit', resolve).once('error', reject));
  const before = screen.cpu;
  const keys = await pressKeys(screen, () => Atomics.load(shared, 1) === 1);
  const cpu = (screen.cpu - before) / seconds;
  await fed;
  const sent = shared[0];
  const shown = sent.toLocaleString('en');
  const began = performance.now();
  const caughtUp = await screen.until((text) => text.includes(` ${shown} lines`), 60_000).catch(() => false);
  const behind = performance.now() - began;
  const seen = Number((/([\d,]+) lines/.exec(screen.text)?.[1] ?? '0').replaceAll(',', ''));
  await screen.quit();
  console.log(`lines sent     ${shown} in ${seconds} s`);
  console.log(
    `lines lost     ${sent - seen}${caughtUp === false ? ' (after a minute)' : `, all there ${(behind / 1000).toFixed(1)} s after the last`}`,
  );
  tell(keys);
  console.log(`one core       ${(100 * cpu).toFixed(0)} %`);
  memory(screen);
}

/** A finished log, as fast as possible; keys meanwhile. @param {any} options @param {string} folder */
async function replay(options, folder) {
  const began = performance.now();
  const screen = new Screen(['watch', '--tz', 'UTC', '--replay', options.log], folder, options);
  await screen.until((text) => /Suppression/.test(text), 20_000);
  const keys = await pressKeys(screen, () => /dsnstat watch {2}END/.test(screen.text));
  const seconds = (performance.now() - began) / 1000;
  const { cpu } = screen;
  await sleep(2000);
  await screen.quit();
  console.log(
    `replayed       ${options.log} in ${seconds.toFixed(1)} s, ${cpu.toFixed(1)} s of processor time`,
  );
  tell(keys);
  memory(screen);
}

/** Nothing comes. @param {any} options @param {string} folder */
async function rest(options, folder) {
  const path = join(folder, 'mail.log');
  const sample = join(HERE, '../samples/postfix/mixed.log');
  writeFileSync(path, readFileSync(sample));
  const screen = new Screen(['watch', '--tz', 'UTC', path], folder, options);
  await screen.until((text) => /LIVE/.test(text), 20_000);
  await sleep(3000);
  const [cpu, frames, bytes] = [screen.cpu, screen.frames, screen.bytes];
  await sleep(options.seconds * 1000);
  console.log(`one core       ${((100 * (screen.cpu - cpu)) / options.seconds).toFixed(1)} %`);
  console.log(
    `frames         ${((screen.frames - frames) / options.seconds).toFixed(1)} a second, ${Math.round((screen.bytes - bytes) / options.seconds)} bytes a second`,
  );
  await screen.quit();
  memory(screen);
}

/** A round of keys and what the screen shows when each has been answered. */
const KEYS = [
  ['?', /\[Keys\]/],
  ['x', /\[7 DSNs/],
  ['1', /\[1 Figures\]/],
  ['\r', /\[Incoming\]/],
  ['G', /^>/m],
  ['\x1b', /\[1 Figures\]/],
  ['3', /\[3 Suspects/],
  ['s', /sorted by last seen/],
  ['7', /\[7 DSNs/],
  ['z', /^─\[7 DSNs(?![\s\S]*1 Figures)/m],
  ['\r', /\[Chain /],
  ['\x1b', /\[7 DSNs/],
  ['z', /1 Figures/],
  ['/', /Filter \(/],
  ['a', /Filter .*: a/],
  ['\r', /filter a/],
  ['/', /Filter .*: a/],
  ['\x15', /Filter \([^:]*: █/],
  ['\r', /no filter/],
  ['3', /\[3 Suspects/],
  ['s', /sorted by verdict/],
  ['s', /sorted by name/],
  ['s', /sorted by count/],
  ['t', /by hour/],
  ['t', /by day/],
  ['t', /by minute/],
  ['7', /\[7 DSNs/],
];

/** @param {Screen} screen @param {() => boolean} over */
async function pressKeys(screen, over) {
  const taken = [];
  for (let n = 0; !over(); n = (n + 1) % KEYS.length) {
    await sleep(150 + Math.random() * 200);
    const [key, shown] = KEYS[n];
    const [pressed, waited] = [performance.now(), screen.waited];
    screen.key(key);
    await screen.until((text) => shown.test(text), 10_000);
    taken.push({ key, ms: performance.now() - pressed, waited: screen.waited - waited });
  }
  return taken;
}

/** @param {{ key: string, ms: number, waited: number }[]} keys */
function tell(keys) {
  console.log(`keys           ${keys.length}: ${spread(keys.map(({ ms }) => ms))}`);
  // On a machine that others use, too: what is left is the program's own.
  console.log(`  without the wait for a processor: ${spread(keys.map(({ ms, waited }) => ms - waited))}`);
  const slow = keys.filter(({ ms, waited }) => ms - waited > 100);
  if (slow.length > 0)
    console.log(
      `  over 100 ms: ${slow.map(({ key, ms, waited }) => `${JSON.stringify(key)} ${(ms - waited).toFixed(0)}`).join(', ')}`,
    );
}

/** @param {number[]} values */
function spread(values) {
  const sorted = values.sort((a, b) => a - b);
  const at = (/** @type {number} */ share) =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]?.toFixed(0);
  return `median ${at(0.5)} ms, 9 of 10 within ${at(0.9)} ms, worst ${at(1)} ms`;
}

/** @param {Screen} screen */
function memory(screen) {
  const { samples } = screen;
  const step = Math.max(1, Math.ceil(samples.length / 12));
  const course = samples.filter((_, i) => i % step === 0).map((kilobytes) => Math.round(kilobytes / 1000));
  console.log(
    `RSS MB         peak ${Math.round(Math.max(...samples) / 1000)}; in steps of ${step} s: ${course.join(' ')}`,
  );
}

await main();
