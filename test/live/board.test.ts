/** The board: the last hour, filters, resets, groups and bounds, on small logs. */
import { describe, expect, test } from 'vitest';
import { FollowedStream } from '../../src/follow/inputs.ts';
import { MOST_ENTRIES, type View } from '../../src/live/board.ts';
import { judge, viewOf } from '../screen/stage.ts';
import { Running } from './running.ts';

const START = Date.UTC(2026, 10, 20, 8);

interface Mail {
  /** Minutes after 08:00. */
  readonly minute: number;
  readonly client?: string;
  readonly from?: string;
  readonly to?: string;
  readonly bounced?: boolean;
  /** The queue manager says that it is over. */
  readonly over?: boolean;
}

let ids = 0;

/** A message as Postfix logs it. */
function mail({
  minute,
  client = '192.0.2.1',
  from = 'a@sender.example',
  to = 'b@shop.example',
  bounced,
  over,
}: Mail): string {
  ids += 1;
  const id = `4${ids.toString(16).padStart(8, '0').toUpperCase()}`;
  const dsn = `5${id.slice(1)}`;
  const at = new Date(START + minute * 60_000).toISOString();
  const say = (text: string): string => `${at} mx postfix/${text}\n`;
  let log =
    say(`smtpd[1]: ${id}: client=c.example[${client}]`) +
    say(`qmgr[2]: ${id}: from=<${from}>, size=9, nrcpt=1 (queue active)`);
  if (bounced !== true)
    log += say(
      `smtp[3]: ${id}: to=<${to}>, relay=store[10.0.0.2]:25, delay=1, dsn=2.0.0, status=sent (250 ok)`,
    );
  else {
    log +=
      say(
        `smtp[3]: ${id}: to=<${to}>, relay=store[10.0.0.2]:25, delay=1, dsn=5.1.1, status=bounced (host store[10.0.0.2] said: 550 5.1.1 User unknown)`,
      ) +
      say(`cleanup[5]: ${dsn}: message-id=<${dsn}@mx>`) +
      say(`bounce[4]: ${id}: sender non-delivery notification: ${dsn}`) +
      say(`qmgr[2]: ${dsn}: from=<>, size=9, nrcpt=1 (queue active)`) +
      say(
        `smtp[3]: ${dsn}: to=<${from}>, relay=mx.sender.example[198.51.100.1]:25, delay=1, dsn=2.0.0, status=sent (250 ok)`,
      );
    if (over !== false) log += say(`qmgr[2]: ${dsn}: removed`);
  }
  if (over !== false) log += say(`qmgr[2]: ${id}: removed`);
  return log;
}

/** A running board whose log is given piece by piece. */
class Fed {
  readonly running: Running;
  #give: (text: string | null) => void = () => undefined;
  readonly #done: Promise<unknown>;

  constructor(remembered?: number) {
    const running = new Running({ judge, remembered });
    this.running = running;
    const queue: (string | null)[] = [];
    let wake: () => void = () => undefined;
    this.#give = (text) => {
      queue.push(text);
      wake();
    };
    const blocks = (async function* () {
      for (;;) {
        while (queue.length === 0) await new Promise<void>((resolve) => (wake = resolve));
        const text = queue.shift();
        if (text === null || text === undefined) return;
        yield Buffer.from(text);
      }
    })();
    const pipe = new FollowedStream(
      '-',
      blocks,
      () => undefined,
      () => undefined,
    );
    this.#done = running.run([], [pipe]);
  }

  /** Gives the lines and looks, when they have been taken. */
  async add(...texts: string[]): Promise<View> {
    const text = texts.join('');
    const lines = this.running.engine.lines + text.split('\n').length - 1;
    this.#give(text);
    await this.running.taken(lines);
    return this.look();
  }

  look(): View {
    const steps = this.running.board.look(this.running.analysis.pending());
    for (;;) {
      const { done, value } = steps.next();
      if (done === true) return value;
    }
  }

  async end(): Promise<void> {
    this.#give(null);
    await this.#done;
  }
}

describe('the last hour', () => {
  test('is 60 minutes of log time, the minute at hand included', async () => {
    const view = await viewOf([0, 10, 59, 60, 69].map((minute) => mail({ minute })).join(''));
    // 08:10 to 09:09; what was accepted at 08:00 is out.
    expect(view.whole[0]).toBe(5);
    expect(view.hour[0]).toBe(4);
  });

  test('the chart shows each message where it was accepted', async () => {
    const view = await viewOf([0, 0, 30, 61].map((minute) => mail({ minute })).join(''));
    const minutes = view.steps.minute.filter(({ figures }) => figures[0] > 0);
    expect(minutes.map(({ at, figures }) => [(at - START) / 60_000, figures[0]])).toEqual([
      [0, 2],
      [30, 1],
      [61, 1],
    ]);
    expect(view.steps.hour.at(-1)?.figures[0]).toBe(1);
    expect(view.steps.hour.at(-2)?.figures[0]).toBe(3);
  });
});

describe('a filter', () => {
  const log = [
    mail({ minute: 0, client: '203.0.113.9', bounced: true }),
    mail({ minute: 1, from: 'other@Victim.Example', bounced: true }),
    mail({ minute: 90, from: 'x@victim.example' }),
  ];

  test.each([
    ['victim.example', [2, 2, 1, 1, 0]],
    ['203.0.113.9', [1, 1, 1, 1, 0]],
    ['OTHER@victim', [1, 1, 1, 1, 0]],
    ['nobody', [0, 0, 0, 0, 0]],
  ])('%s: the figures follow, for what is over and what is pending', async (text, figures) => {
    const fed = new Fed();
    // The first two are over by the time of the third.
    await fed.add(...log);
    fed.running.board.setFilter(text);
    const before = fed.look();
    expect(before.whole).toEqual(figures);
    expect(before.filteredFrom).toBeNull();
    // Set before the lines come, it finds the same.
    const early = new Fed();
    early.running.board.setFilter(text);
    const after = await early.add(...log);
    expect(after.whole).toEqual(figures);
    expect(after.entries.length).toBe(figures[2]);
    early.running.board.setFilter('');
    expect(early.look().whole).toEqual([3, 3, 2, 2, 0]);
    await fed.end();
    await early.end();
  });

  test('by the queue id of a DSN', async () => {
    const fed = new Fed();
    const view = await fed.add(log[0]);
    fed.running.board.setFilter(view.entries[0].chain.dsns[0].queue_id);
    expect(fed.look().whole).toEqual([1, 1, 1, 1, 0]);
    await fed.end();
  });

  test('beyond what is remembered, it says from where on its figures are', async () => {
    const fed = new Fed(500);
    const many: string[] = [];
    for (let n = 0; n < 700; n += 1) many.push(mail({ minute: n / 200 }));
    await fed.add(...many, mail({ minute: 400 }));
    fed.running.board.setFilter('shop.example');
    const view = fed.look();
    expect(view.filteredFrom).toBeGreaterThan(START);
    expect(view.whole[0]).toBe(501);
    await fed.end();
  });
});

describe('a reset', () => {
  test('counts what is accepted from then on, as a report with --since would; the chart stays', async () => {
    const fed = new Fed();
    await fed.add(mail({ minute: 0, bounced: true }), mail({ minute: 1, over: false }));
    fed.running.board.reset();
    expect(fed.look().whole).toEqual([0, 0, 0, 0, 0]);
    const view = await fed.add(mail({ minute: 5, bounced: true }), mail({ minute: 60 }));
    expect(view.whole).toEqual([2, 2, 1, 1, 0]);
    expect(view.from).toBe(START + 60_001);
    expect(view.suspects).toBe(1);
    expect(view.steps.day.at(-1)?.figures[0]).toBe(4);
    await fed.end();
  });
});

describe('suspects', () => {
  test('are grouped by client, victim, next hop and reason: pending and over together', async () => {
    const view = await viewOf(
      [
        mail({ minute: 0, client: '203.0.113.9', bounced: true }),
        mail({ minute: 30, client: '203.0.113.9', bounced: true, over: false }),
        mail({ minute: 31, client: '203.0.113.7', from: 'z@victim.example', bounced: true }),
        mail({ minute: 31, client: '203.0.113.5' }),
      ].join(''),
    );
    const counts = (rows: readonly { key: string; count: number }[]): unknown =>
      Object.fromEntries(rows.map(({ key, count }) => [key, count]));
    expect(view.suspects).toBe(3);
    expect(counts(view.groups.client)).toEqual({ '203.0.113.9': 2, '203.0.113.7': 1 });
    expect(counts(view.groups.victim)).toEqual({ 'sender.example': 2, 'victim.example': 1 });
    expect(counts(view.groups.hop)).toEqual({ 'store[10.0.0.2]:25': 3 });
    expect(counts(view.groups.reason)).toEqual({ accepted_then_refused_by_next_hop: 3 });
    const [row] = view.groups.client.filter(({ key }) => key === '203.0.113.9');
    expect(row.lastSeen).toBe(START + 30 * 60_000);
  });
});

describe('bounds', () => {
  test('only so many chains are kept, the newest', async () => {
    const many: string[] = [];
    for (let n = 0; n < MOST_ENTRIES + 300; n += 1) many.push(mail({ minute: n / 100, bounced: true }));
    const view = await viewOf([...many, mail({ minute: 500 })].join(''));
    expect(view.entries.length).toBe(MOST_ENTRIES);
    expect(view.entries[0].at).toBeGreaterThan(view.entries[MOST_ENTRIES - 1].at);
    expect(view.whole[3]).toBe(MOST_ENTRIES + 300);
  });
});
