// dist/ from src/: a few files, with all constants in their places. A hundred modules, and each constant a look-up until
// V8 has compiled the code for good, cost a short run a quarter of its time. Packages stay packages.
import { build } from 'rolldown';

await build({
  input: { dsnstat: 'src/cli/main.ts', counter: 'src/workers/counter.ts', decoder: 'src/workers/decoder.ts' },
  platform: 'node',
  external: /^[^./]/,
  optimization: { inlineConst: { mode: 'all', pass: 2 } },
  output: { dir: 'dist', cleanDir: true, chunkFileNames: '[name].js' },
});
