/** A view made from a real sample, suspects included, and frames of it as text. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Chain } from '../../src/chains/chain.ts';
import { FollowedStream } from '../../src/follow/inputs.ts';
import type { View } from '../../src/live/board.ts';
import type { Progress } from '../../src/live/engine.ts';
import { chainText } from '../../src/outputs/chain-text.ts';
import { displayWidth } from '../../src/outputs/width.ts';
import { type FrameData, frame } from '../../src/screen/frame.ts';
import { paintFor } from '../../src/screen/paint.ts';
import { type Key, type KeyName, newUi, press, type Ui, type Wish } from '../../src/screen/ui.ts';
import { Running } from '../live/running.ts';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** What a detector may say: DSNs about messages of outside clients. */
export function judge(chain: Chain): Chain['suspect'] {
  if (chain.dsns.length === 0 || chain.origin.client_ip === null) return null;
  const stuck = chain.dsns.some(({ outcome }) => outcome !== 'delivered');
  return {
    verdict: stuck ? 'likely' : 'possible',
    score: stuck ? 70 : 30,
    reasons: ['accepted_then_refused_by_next_hop', ...(stuck ? ['dsn_undeliverable'] : [])],
  };
}

export async function viewOf(text: string | Buffer, running = new Running({ judge })): Promise<View> {
  const blocks = (async function* () {
    yield Buffer.from(text);
  })();
  const pipe = new FollowedStream(
    '-',
    blocks,
    () => undefined,
    (error) => {
      throw error;
    },
  );
  return running.run([], [pipe]);
}

export const sample = (path: string): Buffer => readFileSync(`${ROOT}samples/${path}`);

export const PROGRESS: Progress = { phase: 'live', paused: false, rate: 51.4, lines: 600, backlog: 0 };

export function dataOf(view: View | null, ui: Ui, more: Partial<FrameData> = {}): FrameData {
  return {
    view,
    ui,
    progress: PROGRESS,
    look: { paint: paintFor(false), zone: 'UTC' },
    sources: ['/var/log/mail.log'],
    unread: 3,
    notice: '',
    now: view === null ? 0 : view.newest + 1000,
    lifeOf: ({ chain }) => chainText(chain, { color: false, zone: 'UTC' }),
    ...more,
  };
}

/** The frame as the rows that a terminal would show. */
export function rowsOf(data: FrameData, columns: number, rows: number): string[] {
  return frame(data, { columns, rows }).flatMap((band) =>
    band[0].rows.map((_, i) =>
      band
        .map(({ width, rows: own }) => own[i] + ' '.repeat(Math.max(0, width - displayWidth(plain(own[i])))))
        .join('')
        .trimEnd(),
    ),
  );
}

/** Without colours. */
export function plain(text: string): string {
  return text.replace(/\x1b\[[\d;]*m/g, '');
}

export function key(text: string): Key {
  return text.length === 1 ? { char: text } : { name: text as KeyName };
}

/** Keys one after the other; named ones by their names. */
export function pressed(
  view: View | null,
  keys: readonly string[],
  from: Ui = newUi(),
): { ui: Ui; wishes: Wish[] } {
  let ui = from;
  const wishes: Wish[] = [];
  for (const name of keys) {
    const result = press(ui, key(name), view);
    ui = result.ui;
    wishes.push(...result.wishes);
  }
  return { ui, wishes };
}
