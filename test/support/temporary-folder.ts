/** A folder for the files of one test file, with rooms for its tests; gone when they are over. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

export function temporaryFolder(): {
  folder: string;
  file: (name: string, content: string | Uint8Array) => string;
  room: () => string;
} {
  const folder = mkdtempSync(join(tmpdir(), 'dsnstat-test-'));
  let rooms = 0;
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return {
    folder,
    file: (name, content) => {
      const path = join(folder, name);
      writeFileSync(path, content);
      return path;
    },
    room: () => {
      rooms += 1;
      const path = join(folder, `room${rooms}`);
      mkdirSync(path);
      return path;
    },
  };
}
