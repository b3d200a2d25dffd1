// dist/ from src/: a few files, with all constants in their places. A hundred modules, and each constant a look-up until
// V8 has compiled the code for good, cost a short run a quarter of its time. Packages stay packages.
import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'rolldown';

/**
 * For programs of their own that need modules, too (tests, bench).
 * @param {Record<string, string>} input TypeScript files by what they are to be called, without `.js`
 * @param {string} dir what is in it is removed; the kernel is found from dist/ and from dist/NAME/
 */
export async function bundle(input, dir) {
  await build({
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    input,
    platform: 'node',
    external: /^[^./]/,
    optimization: { inlineConst: { mode: 'all', pass: 2 } },
    output: { dir, cleanDir: true, chunkFileNames: '[name].js' },
  });
}

if (realpathSync(process.argv[1] ?? '.') === fileURLToPath(import.meta.url)) {
  const threads = { counter: 'src/workers/counter.ts', decoder: 'src/workers/decoder.ts' };
  await bundle({ dsnstat: 'src/cli/main.ts', ...threads }, 'dist');
}
