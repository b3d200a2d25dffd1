/** README.md tells the truth: its console blocks are run, its options and files exist. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { FLAGS } from '../src/cli/flags.ts';
import { ROOT, shell } from './cli/program.ts';

const README = readFileSync(join(ROOT, 'README.md'), 'utf8');

/** Commands of the console blocks with what stands below them. */
function examples(): { command: string; shown: string; line: number }[] {
  const found: { command: string; shown: string; line: number }[] = [];
  let inside = false;
  for (const [i, line] of README.split('\n').entries()) {
    if (line.startsWith('```')) inside = line === '```console';
    else if (inside && line.startsWith('$ ')) found.push({ command: line.slice(2), shown: '', line: i + 1 });
    else if (inside) found[found.length - 1].shown += `${line}\n`;
  }
  return found;
}

const RUN = examples().filter(
  ({ command }) => command.startsWith('dsnstat ') && command.includes('samples/'),
);

describe('README.md', () => {
  test('has examples', () => expect(RUN.length).toBeGreaterThan(3));

  test.each(RUN.map((example) => [`README.md:${example.line} ${example.command}`, example] as const))(
    '%s',
    (_, example) => {
      const { stdout, stderr } = shell(example.command);
      expect(stderr).toBe('');
      // CSV has CRLF (RFC 4180), which a page does not show.
      expect(stdout.replaceAll('\r\n', '\n')).toBe(example.shown);
    },
  );

  test('names every option', () => {
    for (const { long } of FLAGS) expect(README, `--${long}`).toContain(`--${long}\``);
  });

  test.each(['README.md', 'ARCHITECTURE.md'])('the files that %s names exist', (name) => {
    const text = readFileSync(join(ROOT, name), 'utf8');
    for (const [, path] of text.matchAll(/`((?:src|docs|bench|samples|parsers|test)\/[\w./-]*)`/g)) {
      if (path.includes('NAME') || path === 'test/stories/') continue;
      expect(existsSync(join(ROOT, path)), path).toBe(true);
    }
  });
});
