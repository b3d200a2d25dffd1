/**
 * What is pending in a joiner, as rows of plain JSON, and back: for state files and saved summaries.
 *
 * Owns which fields of lives and of the joiner's state are kept (the lists below: whoever adds a field to Life,
 * Recipient or JoinerState names it there; a test fails otherwise). Must not know files or what stands around the rows
 * (analysis/saved.ts). Lives are named by their place in the order in which they began; hosts by the number that the
 * writer's list has for them, and translated when they are read.
 */
import { LineHead } from '../lines/head.ts';
import type { Tags } from '../lines/tags.ts';
import { idCheck, idHash } from '../records/text.ts';
import type { Joiner } from './joiner.ts';
import { checkOf, type DsnLink, Life, lastSerial, Recipient, setLastSerial } from './life.ts';
import type { ByProcess, JoinerState, SenderCheck } from './state.ts';

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

/** Kept as they are, unless they have the value that they begin with. */
const LIFE_FIELDS = [
  'mta',
  'instance',
  'space',
  'id',
  'head',
  'begun',
  'arrived',
  'accepted',
  'refused',
  'discarded',
  'held',
  'expiredAt',
  'dsnLost',
  'origin',
  'clientName',
  'clientIp',
  'authUser',
  'uid',
  'messageId',
  'messageKey',
  'reversePath',
  'size',
  'envelopeRecipients',
  'end',
  'endByQueueManager',
  'impliedEnd',
  'mark',
  'spf',
  'qp',
  'pid',
  'passes',
  'senderChanged',
  'recipientsChanged',
  'proxied',
  'proxyPid',
  'relation',
  'first',
  'last',
  'closed',
  'numberFree',
] as const satisfies readonly (keyof Life)[];

const RECIPIENT_FIELDS = [
  'key',
  'address',
  'original',
  'outcome',
  'attempts',
  'status',
  'relay',
  'reply',
  'at',
  'handedOn',
  'keptToo',
  'local',
] as const satisfies readonly (keyof Recipient)[];

const HEAD_FIELDS = [
  'instant',
  'pid',
  'repeat',
  'times',
  'sploggerStamp',
  'continuation',
] as const satisfies readonly (keyof LineHead)[];

/** For the test that nothing is forgotten: what is kept in a way of its own, or made anew. */
export const KEPT = {
  life: {
    fields: LIFE_FIELDS as readonly string[],
    // hash and check follow from id and space, older from the stacks, pendingInTree from the tree.
    otherwise: ['host', 'hash', 'check', 'recipients', 'dsns', 'next', 'parent', 'older', 'pendingInTree'],
    anew: ['retired', 'waitsUntil', 'serial'],
  },
  recipient: { fields: RECIPIENT_FIELDS as readonly string[], otherwise: ['forwardedTo'], anew: [] },
  head: {
    fields: HEAD_FIELDS as readonly string[],
    otherwise: ['bytes', 'host', 'tag'],
    anew: ['textStart', 'textEnd'],
  },
  state: {
    fields: [],
    otherwise: [
      'table',
      'now',
      'origin',
      'held',
      'unresolved',
      'hops',
      'restarted',
      'nextSweep',
      'closedRoots',
      'sessions',
      'checks',
      'parts',
      'deliveries',
      'lifeByQp',
      'bounceByQp',
      'qpJoins',
      'forwardByQp',
      'orphanForwards',
      'clientByQp',
      'lastResult',
    ],
    // What is known of all lives.
    anew: ['onAwaited', 'onKnown', 'closing', 'piped'],
  },
} as const;

const NEW_LIFE = fresh(new Life());
const NEW_RECIPIENT = fresh(new Recipient());
const NEW_HEAD = fresh(new LineHead());

/** The values that the fields of an object begin with. */
function fresh(object: object): Readonly<Record<string, unknown>> {
  return { ...object };
}

function pick(
  object: object,
  fields: readonly string[],
  beginning: Readonly<Record<string, unknown>>,
): Record<string, Json> {
  const from = object as Readonly<Record<string, unknown>>;
  const kept: Record<string, Json> = {};
  for (const field of fields) {
    const value = from[field];
    // JSON has no NaN: it is what such fields begin with.
    if (value !== beginning[field] && !Number.isNaN(value)) kept[field] = value as Json;
  }
  return kept;
}

function put(object: object, fields: readonly string[], row: JsonObject): void {
  const to = object as Record<string, unknown>;
  for (const field of fields) if (field in row) to[field] = row[field];
}

/** Rows per line of a side table: a line stays well below a block. */
const CHUNK = 500;

/** Everything pending; light lives become lives. The joiner goes on as before. */
export function* joinerRows(joiner: Joiner): Generator<JsonObject> {
  joiner.promoteLight();
  const { state } = joiner;
  const lives = livesIn(joiner);
  const places = new Map<Life, number>(lives.map((life, place) => [life, place]));
  const { now, origin, nextSweep } = state;
  yield {
    joiner: {
      now: finite(now),
      origin: finite(origin),
      next_sweep: finite(nextSweep),
      lives: lives.length,
      restarted: [...state.restarted.entries()].map(([host, countedFrom]) => [host, countedFrom]),
      qp_joins: [...state.qpJoins],
    },
  };
  for (const life of lives) yield { life: lifeRow(life, places) };
  yield* chunks('stacks', stacksOf(state, places));
  yield* chunks(
    'held',
    [...state.held].map((root) => places.get(root)!),
  );
  yield* chunks('closed_roots', existing(state.closedRoots, places));
  yield* chunks('unresolved', state.unresolved.map(headRow));
  yield* chunks(
    'hops',
    state.hops.flatMap((hop): Json[] => {
      const place = places.get(hop.life);
      if (place === undefined) return [];
      // How many lives had begun by then.
      let begun = lives.findIndex((life) => life.serial >= hop.serial);
      if (begun < 0) begun = lives.length;
      return [[place, recipientPlace(hop.life, hop.recipient), hop.relay, hop.hash, hop.check, begun]];
    }),
  );
  yield* chunks(
    'sessions',
    processRows(state.sessions, (facts) => ({ ...facts })),
  );
  yield* chunks(
    'clients_by_qp',
    processRows(state.clientByQp, (facts) => ({ ...facts })),
  );
  yield* chunks(
    'parts',
    [...state.parts].map(([key, texts]): Json => {
      const blank = key.indexOf(' ');
      return [Number(key.slice(0, blank)), key.slice(blank + 1), texts];
    }),
  );
  yield* chunks(
    'checks',
    [...state.checks].map(([key, check]): Json => {
      const blank = key.indexOf(' ');
      return [Number(key.slice(0, blank)), key.slice(blank + 1), { ...check }];
    }),
  );
  yield* chunks(
    'deliveries',
    processRows(state.deliveries, ({ life, serial, recipient, at }) => {
      // A delivery of a life that is gone is still known as one: -1.
      const place = life.serial === serial ? (places.get(life) ?? -1) : -1;
      return [place, place < 0 ? 0 : recipientPlace(life, recipient), at];
    }),
  );
  yield* chunks(
    'lives_by_qp',
    processRows(state.lifeByQp, (life, qp) => (life.qp === qp ? (places.get(life) ?? null) : null)),
  );
  yield* chunks(
    'bounces_by_qp',
    processRows(state.bounceByQp, ({ life, link }) => {
      const place = places.get(life);
      const at = life.dsns.indexOf(link);
      return place === undefined || at < 0 ? null : [place, at];
    }),
  );
  yield* chunks(
    'forwards_by_qp',
    processRows(state.forwardByQp, ({ life, serial, recipient, at }) => {
      const place = places.get(life);
      if (place === undefined || life.serial !== serial) return null;
      return [place, recipient === null ? null : recipientPlace(life, recipient), at];
    }),
  );
  yield* chunks(
    'orphan_forwards',
    processRows(state.orphanForwards, (at) => at),
  );
  yield* chunks(
    'last_results',
    [...state.lastResult].flatMap(([host, { stamp, life, serial, recipient }]): Json[] => {
      const place = places.get(life);
      if (place === undefined || life.serial !== serial) return [];
      return [[host, stamp, place, recipientPlace(life, recipient)]];
    }),
  );
}

/** Numbers of the hosts that anything pending belongs to. */
export function pendingHosts(joiner: Joiner): Set<number> {
  const hosts = new Set<number>();
  for (const life of livesIn(joiner)) hosts.add(life.host);
  const { state } = joiner;
  for (const head of state.unresolved) hosts.add(head.host);
  for (const [host] of state.restarted.entries()) hosts.add(host);
  for (const host of state.qpJoins) hosts.add(host);
  for (const host of state.lastResult.keys()) hosts.add(host);
  for (const map of [state.parts, state.checks])
    for (const key of map.keys()) hosts.add(Number.parseInt(key, 10));
  for (const table of processTables(state)) for (const [host] of table.entries()) hosts.add(host);
  return hosts;
}

function processTables(state: JoinerState): Pick<ByProcess<unknown>, 'entries'>[] {
  const { sessions, deliveries, lifeByQp, bounceByQp, forwardByQp, orphanForwards, clientByQp } = state;
  return [sessions, deliveries, lifeByQp, bounceByQp, forwardByQp, orphanForwards, clientByQp];
}

function livesIn(joiner: Joiner): Life[] {
  const seen = new Set<Life>();
  const visit = (life: Life | null): void => {
    if (life === null || seen.has(life) || life.retired) return;
    seen.add(life);
    visit(life.parent);
    for (const next of life.next) visit(next);
    for (const link of life.dsns) visit(link.child);
  };
  for (const root of joiner.pending()) visit(root);
  for (const life of joiner.state.table.lives()) visit(life);
  return [...seen].sort((a, b) => a.serial - b.serial);
}

function lifeRow(life: Life, places: ReadonlyMap<Life, number>): JsonObject {
  const row = pick(life, LIFE_FIELDS, NEW_LIFE);
  if (life.host !== 0) row.host = life.host;
  if (life.recipients.length > 0) {
    row.recipients = life.recipients.map((r) => {
      const kept = pick(r, RECIPIENT_FIELDS, NEW_RECIPIENT);
      const to = r.forwardedTo === null ? undefined : places.get(r.forwardedTo);
      if (to !== undefined) kept.forwardedTo = to;
      return kept;
    });
  }
  if (life.dsns.length > 0) {
    row.dsns = life.dsns.map(({ kind, child, reason, at, qp }): Json => {
      return [kind, child === null ? null : (places.get(child) ?? null), reason, at, qp];
    });
  }
  if (life.next.length > 0) row.next = existing(life.next, places);
  if (life.parent !== null) row.parent = places.get(life.parent) ?? null;
  if (life.pendingInTree !== 1) row.pendingInTree = life.pendingInTree;
  return row;
}

function headRow(head: LineHead): JsonObject {
  const row = pick(head, HEAD_FIELDS, NEW_HEAD);
  row.text = Buffer.from(head.bytes.subarray(head.textStart, head.textEnd)).toString('latin1');
  if (head.host !== 0) row.host = head.host;
  if (head.tag.text !== '') row.tag = head.tag.text;
  return row;
}

/** Lives that share an id, the oldest first. */
function stacksOf(state: JoinerState, places: ReadonlyMap<Life, number>): Json[] {
  const stacks: Json[] = [];
  const below = new Set<Life>();
  for (const life of state.table.lives()) {
    if (life.older === null || below.has(life)) continue;
    const stack: number[] = [];
    for (let member: Life | null = life; member !== null; member = member.older) {
      below.add(member);
      stack.push(places.get(member)!);
    }
    stacks.push(stack.reverse());
  }
  return stacks;
}

function existing(lives: Iterable<Life>, places: ReadonlyMap<Life, number>): number[] {
  const found: number[] = [];
  for (const life of lives) {
    const place = places.get(life);
    if (place !== undefined) found.push(place);
  }
  return found;
}

function processRows<T>(
  table: Pick<ByProcess<T>, 'entries'>,
  row: (value: T, process: number) => Json,
): Json[] {
  const rows: Json[] = [];
  for (const [host, process, value] of table.entries()) {
    const kept = row(value, process);
    if (kept !== null) rows.push([host, process, kept]);
  }
  return rows;
}

function recipientPlace(life: Life, recipient: Recipient): number {
  return life.recipients.indexOf(recipient);
}

function* chunks(name: string, rows: readonly Json[]): Generator<JsonObject> {
  for (let at = 0; at < rows.length; at += CHUNK) yield { pending: name, rows: rows.slice(at, at + CHUNK) };
}

function finite(n: number): number | null {
  return Number.isFinite(n) ? n : null;
}

/** Fills a new joiner from rows, in the order in which they were written. */
export class JoinerLoader {
  readonly #joiner: Joiner;
  readonly #tags: Tags;
  /** The number here of the writer's host. */
  readonly #hostOf: (host: number) => number;
  readonly #lives: Life[] = [];
  readonly #rows: JsonObject[] = [];
  #expected = 0;
  readonly #stacked = new Set<number>();
  #linked = false;
  /** What a delivery belongs to whose life is gone. */
  readonly #gone = new Life();

  constructor(joiner: Joiner, tags: Tags, hostOf: (host: number) => number) {
    this.#joiner = joiner;
    this.#tags = tags;
    this.#hostOf = hostOf;
    this.#gone.retired = true;
  }

  /** False for a row that is none of a joiner's. Throws what a row with other contents than it should have leads to. */
  take(row: JsonObject): boolean {
    if ('life' in row) this.#life(row.life as JsonObject);
    else if ('joiner' in row) this.#begin(row.joiner as JsonObject);
    else if ('pending' in row) {
      this.#link();
      for (const entry of row.rows as readonly Json[]) this.#entry(row.pending as string, entry);
    } else return false;
    return true;
  }

  finish(): void {
    this.#link();
    if (this.#lives.length !== this.#expected) throw new Error('lives are missing');
    // In the table are those that are not over; the stacked ones stand there already.
    for (const [place, life] of this.#lives.entries())
      if (!life.closed && !this.#stacked.has(place)) this.#joiner.state.table.push(life);
    for (const life of this.#lives) {
      if (!life.closed) this.#joiner.state.wait(life);
      this.#joiner.state.piped.add(life);
    }
    this.#joiner.noticeDiscards();
    this.#checkTrees();
  }

  /** No life is its own ancestor, and none hangs on two: a forged file must not make anybody walk in circles. */
  #checkTrees(): void {
    const most = this.#lives.length;
    for (const life of this.#lives) {
      let steps = 0;
      for (let up = life.parent; up !== null; up = up.parent) {
        steps += 1;
        if (steps > most) throw new Error('lives in a circle');
      }
      if (life.next.some((child) => child.parent !== life))
        life.next = life.next.filter((child) => child.parent === life);
      if (life.dsns.some(({ child }) => child !== null && child.parent !== life))
        life.dsns = life.dsns.filter(({ child }) => child === null || child.parent === life);
    }
  }

  #begin(row: JsonObject): void {
    const { state } = this.#joiner;
    state.now = (row.now as number | null) ?? Number.NEGATIVE_INFINITY;
    state.origin = (row.origin as number | null) ?? Number.POSITIVE_INFINITY;
    state.nextSweep = (row.next_sweep as number | null) ?? Number.NEGATIVE_INFINITY;
    this.#expected = row.lives as number;
    for (const [host, countedFrom] of row.restarted as readonly (readonly [number, number])[])
      state.restarted.set(this.#hostOf(host), countedFrom, true);
    for (const host of row.qp_joins as readonly number[]) state.qpJoins.add(this.#hostOf(host));
  }

  #life(row: JsonObject): void {
    const life = new Life();
    put(life, LIFE_FIELDS, row);
    life.host = this.#hostOf((row.host as number | undefined) ?? 0);
    const id = Buffer.from(life.id, 'latin1');
    life.hash = idHash(id, 0, id.length);
    life.check = checkOf(idCheck(id, 0, id.length), life.space);
    life.pendingInTree = (row.pendingInTree as number | undefined) ?? 1;
    life.serial = lastSerial() + 1;
    setLastSerial(life.serial);
    this.#lives.push(life);
    this.#rows.push(row);
  }

  /** Once all lives are known: what they say of each other. */
  #link(): void {
    if (this.#linked) return;
    this.#linked = true;
    for (const [place, life] of this.#lives.entries()) {
      const row = this.#rows[place];
      for (const kept of (row.recipients as readonly JsonObject[] | undefined) ?? []) {
        const r = life.addRecipient(kept.key as number, '', null);
        put(r, RECIPIENT_FIELDS, kept);
        if (typeof kept.forwardedTo === 'number') r.forwardedTo = this.#at(kept.forwardedTo);
      }
      for (const kept of (row.dsns as readonly (readonly Json[])[] | undefined) ?? []) {
        const [kind, child, reason, at, qp] = kept;
        life.addDsn({
          kind: kind as number,
          child: child === null ? null : this.#at(child),
          reason: reason as string | null,
          at: at as number,
          qp: qp as number,
        });
      }
      if (row.next !== undefined) life.next = (row.next as readonly number[]).map((child) => this.#at(child));
      if (typeof row.parent === 'number') life.parent = this.#at(row.parent);
    }
    this.#rows.length = 0;
  }

  #at(place: Json): Life {
    const life = this.#lives[place as number];
    if (life === undefined) throw new Error('a life is missing');
    return life;
  }

  #recipient(life: Life, place: Json): Recipient {
    return life.recipients[place as number] ?? new Recipient();
  }

  #entry(table: string, entry: Json): void {
    const { state } = this.#joiner;
    if (typeof entry === 'number') {
      this.#placed(table, this.#at(entry));
      return;
    }
    if (table === 'unresolved') {
      state.unresolved.push(this.#head(entry as JsonObject));
      return;
    }
    const row = entry as readonly Json[];
    switch (table) {
      case 'stacks':
        for (const place of row) {
          state.table.push(this.#at(place));
          this.#stacked.add(place as number);
        }
        return;
      case 'hops': {
        const life = this.#at(row[0]);
        const [, recipient, relay, hash, check, begun] = row;
        const before = begun === undefined ? this.#lives.length : (begun as number);
        state.hops.push({
          life,
          recipient: this.#recipient(life, recipient),
          relay: relay as string,
          hash: hash as number,
          check: check as number,
          serial: this.#at(before - 1).serial + 1,
        });
        return;
      }
      case 'parts':
        state.parts.set(`${this.#hostOf(row[0] as number)} ${row[1]}`, [...(row[2] as readonly string[])]);
        return;
      case 'checks': {
        const check = { ...(row[2] as unknown as SenderCheck) };
        const host = check.host < 0 ? -1 : this.#hostOf(check.host);
        state.checks.set(`${this.#hostOf(row[0] as number)} ${row[1]}`, { ...check, host });
        return;
      }
      case 'last_results': {
        const [host, stamp, place, recipient] = row;
        const life = this.#at(place);
        state.lastResult.set(this.#hostOf(host as number), {
          stamp: stamp as number,
          life,
          serial: life.serial,
          recipient: this.#recipient(life, recipient),
        });
        return;
      }
      default:
        this.#byProcess(table, this.#hostOf(row[0] as number), row[1] as number, row[2]);
    }
  }

  #placed(table: string, life: Life): void {
    const { state } = this.#joiner;
    if (table === 'held') state.held.add(life);
    else if (table === 'closed_roots') state.closedRoots.add(life);
    else throw new Error(`unknown table ${table}`);
  }

  #byProcess(table: string, host: number, process: number, value: Json): void {
    const { state } = this.#joiner;
    const row = value as readonly Json[];
    switch (table) {
      case 'sessions':
        state.sessions.set(host, process, { ...(value as object) } as never);
        return;
      case 'clients_by_qp':
        state.clientByQp.set(host, process, { ...(value as object) } as never);
        return;
      case 'lives_by_qp':
        state.lifeByQp.set(host, process, this.#at(value));
        return;
      case 'orphan_forwards':
        state.orphanForwards.set(host, process, value as number);
        return;
      case 'bounces_by_qp': {
        const life = this.#at(row[0]);
        const link: DsnLink | undefined = life.dsns[row[1] as number];
        if (link !== undefined) state.bounceByQp.set(host, process, { life, link });
        return;
      }
      case 'deliveries':
      case 'forwards_by_qp': {
        const life = row[0] === -1 ? this.#gone : this.#at(row[0]);
        const recipient = row[1] === null ? null : this.#recipient(life, row[1]);
        const known = { life, serial: life.serial, recipient, at: row[2] as number };
        if (table === 'forwards_by_qp') state.forwardByQp.set(host, process, known);
        else if (recipient !== null) state.deliveries.set(host, process, { ...known, recipient });
        return;
      }
      default:
        throw new Error(`unknown table ${table}`);
    }
  }

  #head(row: JsonObject): LineHead {
    const head = new LineHead();
    put(head, HEAD_FIELDS, row);
    head.bytes = Buffer.from(row.text as string, 'latin1');
    head.textEnd = head.bytes.length;
    head.host = this.#hostOf((row.host as number | undefined) ?? 0);
    if (row.tag !== undefined) head.tag = this.#tags.named(row.tag as string);
    return head;
  }
}
