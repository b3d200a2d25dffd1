/**
 * The expected reports of samples/: which files they belong to and how they are made. Used by the test that compares
 * and by the command that updates.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '../..');
export const PROGRAM = join(ROOT, 'dist/src/cli/main.js');

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
    { path: `${stem}.report.json`, text: stable(reportOf(sample, 'json', '--top', '2')) },
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

/** Without what differs from run to run, and without the words of findings and tables: the page beside it has them. */
function stable(json) {
  const { generated_at: _, findings, tables, ...rest } = JSON.parse(json);
  const seen = findings.map(({ id, severity, counts }) => ({ id, severity, counts }));
  const counted = tables.map(({ title: _, key_heading: __, count_heading: ___, ...table }) => table);
  const indented = JSON.stringify({ ...rest, findings: seen, tables: counted }, null, 1);
  // One line for what holds nothing further: the folder stays small, and a diff readable.
  return `${indented.replace(/\{\n\s*([^{}[\]]*?)\n\s*\}/g, (_, inner) => `{ ${inner.replace(/\n\s*/g, ' ')} }`)}\n`;
}

/** For titles and messages. */
export function shortName(path) {
  return relative(join(ROOT, 'samples'), join(ROOT, path));
}
