/**
 * The expected reports of samples/: which files they belong to and how they are made. Used by the test that compares
 * and by the command that updates.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '../..');
export const PROGRAM = join(ROOT, 'dist/dsnstat.js');

/** Samples, relative to the project: `samples/postfix/mixed.log`. */
export function samples() {
  const found = [];
  for (const mta of readdirSync(join(ROOT, 'samples')).sort()) {
    for (const name of readdirSync(join(ROOT, 'samples', mta)).sort()) {
      if (name.endsWith('.log')) found.push(join('samples', mta, name));
    }
  }
  return found;
}

/** The files that must stand beside a sample, by name, with their text. */
export function expectedReports(sample) {
  const stem = sample.replace(/\.log$/, '');
  return [
    { path: `${stem}.report.txt`, text: reportOf(sample, 'text') },
    { path: `${stem}.report.json`, text: stable(reportOf(sample, 'json', '--top', '3')) },
  ];
}

function reportOf(sample, format, ...more) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [PROGRAM, 'report', '--tz', 'UTC', '--color', 'never', '--format', format, ...more, sample],
    { cwd: ROOT, encoding: 'utf8', env: { PATH: process.env.PATH, TZ: 'UTC' } },
  );
  if (status !== 0 || stderr !== '') throw new Error(`${sample}: exit ${status}: ${stderr}`);
  return stdout;
}

/** Without what differs from run to run; a line for each part, and for each table and finding. */
function stable(json) {
  const { generated_at: _, ...rest } = JSON.parse(json);
  const parts = Object.entries(rest).map(([key, value]) => {
    if (!Array.isArray(value)) return ` ${JSON.stringify(key)}: ${JSON.stringify(value)}`;
    const entries = value.map((entry) => `\n  ${JSON.stringify(entry)}`);
    return ` ${JSON.stringify(key)}: [${entries.join(',')}]`;
  });
  return `{\n${parts.join(',\n')}\n}\n`;
}

/** For titles and messages. */
export function shortName(path) {
  return relative(join(ROOT, 'samples'), join(ROOT, path));
}
