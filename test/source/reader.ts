/** A program that reads its arguments as sources, for tests that need a standard input of their own. */
import { openBlocks } from '../../src/source/blocks.ts';
import { findSources } from '../../src/source/find.ts';
import { probe } from '../../src/source/probe.ts';

const first = process.argv.includes('--first');
const args = process.argv.slice(2).filter((arg) => arg !== '--first');
const { sources } = await findSources(args, { stdinIsTty: false });
for (const source of sources) {
  if (!first) await probe(source);
  let length = 0;
  for await (const block of openBlocks(source)) {
    length += block.length;
    if (first) break;
  }
  console.log(source.path, source.size, length, source.bytesRead);
}
