/**
 * The version in package.json.
 */
import { createRequire } from 'node:module';

export function version(): string {
  // Tests run the sources, which stand one folder lower.
  const file = import.meta.url.endsWith('.ts') ? '../../package.json' : '../package.json';
  return (createRequire(import.meta.url)(file) as { version: string }).version;
}
