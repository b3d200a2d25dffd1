/** The journal, by a journalctl that plays its part: what it is asked, and how following goes on when it ends. */
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { followJournal, hasJournal } from '../../src/follow/journal.ts';

const folder = mkdtempSync(join(tmpdir(), 'dsnstat-journal-'));
const PATH = process.env.PATH;
afterEach(() => {
  process.env.PATH = PATH;
  rmSync(folder, { recursive: true, force: true });
});

const entry = (n: number): string => JSON.stringify({ __CURSOR: `c${n}`, MESSAGE: `entry ${n}` });

test('entries are followed, and begun again behind the last one that came', async () => {
  const tool = join(folder, 'journalctl');
  writeFileSync(
    tool,
    `#!/bin/sh
echo "$@" >>${folder}/calls
case "$*" in
*--version*) ;;
*--after-cursor=c2*) echo '${entry(3)}'; exec sleep 60 ;;
*--after-cursor=c7*) exec sleep 60 ;;
*) printf '%s\\n%s\\n%s' '${entry(1)}' '${entry(2)}' '{"__CURSOR":"c3","MESS'; echo 'lost the journal' >&2 ;;
esac
`,
  );
  chmodSync(tool, 0o755);
  process.env.PATH = `${folder}:${PATH}`;
  expect(await hasJournal()).toBe(true);
  const notices: string[] = [];
  const journal = followJournal(true, (text) => notices.push(text));
  let text = '';
  for await (const block of journal.blocks) {
    text += Buffer.from(block).toString();
    journal.taken(block);
    if (text.includes('entry 3')) break;
  }
  journal.stop();
  // Half an entry is a line of its own; it comes again.
  expect(text).toBe(`${entry(1)}\n${entry(2)}\n{"__CURSOR":"c3","MESS\n${entry(3)}\n`);
  expect(journal.cursor).toBe('c3');
  expect(notices).toEqual(['journalctl ended: lost the journal; starting it again']);
  const [, first, second] = readFileSync(join(folder, 'calls'), 'utf8').split('\n');
  expect(first).toMatch(/--follow --output=json .*--lines=all SYSLOG_FACILITY=2/);
  expect(second).toMatch(/--after-cursor=c2 SYSLOG_FACILITY=2/);
});

test('without journalctl there is none', async () => {
  process.env.PATH = '/nonexistent';
  expect(await hasJournal()).toBe(false);
});
