/** Most entries of a side table; the oldest go first. Met only by hostile or broken logs. */
const SIDE_TABLE_LIMIT = 50_000;

/** Makes room for one more entry. */
export function limit(map: Map<unknown, unknown>): void {
  if (map.size < SIDE_TABLE_LIMIT) return;
  for (const key of map.keys()) {
    map.delete(key);
    return;
  }
}
