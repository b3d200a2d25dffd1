/** `npm run samples`: writes the expected reports beside the samples. Look at the diff before you keep it. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expectedReports, ROOT, samples } from './golden.mjs';

for (const sample of samples()) {
  for (const { path, text } of expectedReports(sample)) {
    const file = join(ROOT, path);
    if (existsSync(file) && readFileSync(file, 'utf8') === text) continue;
    writeFileSync(file, text);
    console.log(path);
  }
}
