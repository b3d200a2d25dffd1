/**
 * A frame as Ink elements: bands above each other, columns side by side, one Text per row.
 *
 * Owns the meeting with Ink and React: keys in, rows out. All state is in the store outside (start.tsx), so that
 * nothing is lost when the renderer is begun anew. Must not know what a row says.
 */
import { Box, type Key as InkKey, Text, useInput } from 'ink';
import { memo, useSyncExternalStore } from 'react';
import type { Band } from './frame.ts';
import type { Key, KeyName } from './ui.ts';

/** What the renderer looks at. */
export interface FrameStore {
  subscribe(listener: () => void): () => void;
  /** The same object until something changed. */
  frame(): readonly Band[];
  press(keys: readonly Key[]): void;
}

export function App({ store }: { readonly store: FrameStore }) {
  const bands = useSyncExternalStore(store.subscribe, store.frame);
  useInput((input, key) => store.press(keysOf(input, key)));
  return (
    <Box flexDirection="column">
      {bands.map((band) => (
        <Box key={band.map(({ key }) => key).join()} flexDirection="row">
          {band.map(({ key, width, rows }) => (
            <Rows key={key} width={width} text={rows.join('\n')} />
          ))}
        </Box>
      ))}
    </Box>
  );
}

/** Drawn again only when its text has changed. */
const Rows = memo(({ width, text }: { readonly width: number; readonly text: string }) => (
  <Box flexDirection="column" width={width} flexShrink={0}>
    {text.split('\n').map((row, i) => (
      // biome-ignore lint/suspicious/noArrayIndexKey: a row is its place
      <Text key={i} wrap="truncate">
        {row === '' ? ' ' : row}
      </Text>
    ))}
  </Box>
));

const NAMED: readonly (readonly [keyof InkKey, KeyName])[] = [
  ['upArrow', 'up'],
  ['downArrow', 'down'],
  ['leftArrow', 'left'],
  ['rightArrow', 'right'],
  ['pageUp', 'pageup'],
  ['pageDown', 'pagedown'],
  ['home', 'home'],
  ['end', 'end'],
  ['return', 'enter'],
  ['escape', 'esc'],
  ['backspace', 'backspace'],
  ['delete', 'backspace'],
];

/** Ink tells of a burst of characters, a paste for example, as one. */
export function keysOf(input: string, key: InkKey): Key[] {
  if (key.tab) return [{ name: key.shift ? 'backtab' : 'tab' }];
  for (const [property, name] of NAMED) if (key[property] === true) return [{ name }];
  if (key.ctrl) {
    const name = `ctrl-${input}`;
    return name === 'ctrl-c' || name === 'ctrl-u' || name === 'ctrl-z' ? [{ name }] : [];
  }
  if (key.meta) return [];
  return [...input].flatMap((char): Key[] => {
    const name = CONTROLS[char];
    if (name !== undefined) return [{ name }];
    return char < ' ' ? [] : [{ char }];
  });
}

/** What control characters are within a burst. */
const CONTROLS: Readonly<Record<string, KeyName>> = {
  '\r': 'enter',
  '\n': 'enter',
  '\t': 'tab',
  '\b': 'backspace',
  '\x7f': 'backspace',
  '\x03': 'ctrl-c',
  '\x15': 'ctrl-u',
  '\x1a': 'ctrl-z',
};
