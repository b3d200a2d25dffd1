/**
 * Two joiners that read neighbouring pieces of one log become one, as if one had read both.
 *
 * The lives of the right piece are taken in the order in which they began. One that may be the rest of a life on the
 * left, by the same rules by which a line finds its life (joiner.ts), is absorbed by it; the others are added. Facts
 * of sessions, deliveries and processes that were open at the seam meet afterwards. The right joiner is used up.
 */
import {
  ARRIVAL,
  DEFERRED,
  END,
  END_DISCARDED,
  ENVELOPE,
  GIVEN_UP,
  MESSAGE_ID,
  ORIGIN_LOCAL,
  POSTFIX,
  QUEUE_INFO,
  QUEUE_NEW,
  QUEUED,
  SENDMAIL,
  SENT,
  SPF_NAMES,
  SUBMISSION,
} from '../records/record.ts';
import {
  applyClient,
  applyProxy,
  DOUBT,
  findCheck,
  hasItAlready,
  isAnnouncedAgain,
  isDiscardedAtOnce,
  isForPostmaster,
  isNamedByFilter,
  isOwnHop,
  type Joiner,
  mayBeAnnouncedAgain,
  mayBeHandedOver,
  mayContinue,
  mayEndBy,
  mayHaveMessageId,
  mayHaveOtherName,
  mayReport,
  SESSION_FACTS,
  takesEnvelope,
} from './joiner.ts';
import {
  COMES_BACK_WITHIN,
  CONTINUES,
  checkOf,
  claimable,
  impliesEnd,
  type Life,
  OUT_OF_ORDER,
  openIn,
  QUEUE_ID,
  REPORTS,
  type Recipient,
  rootOf,
} from './life.ts';
import type { Hop, SenderCheck } from './state.ts';

/** Joins `right` to `left`; `left` is the result. */
export function mergeJoiners(left: Joiner, right: Joiner): void {
  left.promoteLight();
  const lives = livesOf(right);
  const target = new Map<Life, Life>();
  const sessions = new Set<string>();
  let hop = 0;
  const meetHops = (before: number): void => {
    for (; hop < right.state.hops.length && right.state.hops[hop].serial <= before; hop += 1)
      meetHop(left, right.state.hops[hop], target);
  };
  for (const life of lives) {
    meetHops(life.serial);
    const continued = continuedBy(left, right, life, target);
    if (continued === null) {
      target.set(life, life);
      life.older = null;
      // Closed ones as well, until the lines that wait for them have been read again.
      left.state.table.push(life);
    } else {
      absorb(continued, life);
      target.set(life, continued);
      if (life.parent !== null && target.has(life.parent)) adopt(continued, life, target);
    }
    meetSession(left, life, target.get(life)!, sessions);
  }
  meetHops(Number.POSITIVE_INFINITY);
  for (const life of lives) relink(life, target);
  for (const life of lives) keepOwnChildren(target.get(life)!);
  const { state } = left;
  const from = right.state;
  if (state.origin === Number.POSITIVE_INFINITY) state.origin = from.origin;
  for (const [host, qp, life] of from.lifeByQp.entries()) {
    const known = target.get(life);
    if (known !== undefined && known.qp === qp) state.lifeByQp.set(host, qp, known);
  }
  for (const head of from.unresolved) left.takeAgain(head);
  for (const life of lives) if (target.get(life) === life && life.closed) left.state.table.remove(life);
  meetAtSeam(left, lives, target);
  mergeTables(left, right, target);
  for (const life of lives) left.matchPiped(target.get(life)!);
  for (const host of from.qpJoins) state.qpJoins.add(host);
  if (!left.isLeftOpen) {
    for (const life of lives) {
      const own = target.get(life)!;
      for (const r of own.recipients) left.bounceByRecipient(own, r.address, own.first);
    }
  }
  for (const life of lives) settle(left, target.get(life)!);
  state.now = Math.max(state.now, from.now);
  left.noticeDiscards();
  retireFinished(left, lives, target);
}

/** Every pending life, in the order in which they began. */
function livesOf(joiner: Joiner): Life[] {
  const lives: Life[] = [];
  const seen = new Set<Life>();
  const visit = (life: Life): void => {
    if (seen.has(life)) return;
    seen.add(life);
    lives.push(life);
    for (const next of life.next) visit(next);
    for (const link of life.dsns) if (link.child !== null) visit(link.child);
  };
  for (const root of joiner.pending()) visit(root);
  return lives.sort((a, b) => a.serial - b.serial);
}

/** The life on the left that `life` is the rest of, or null. */
function continuedBy(left: Joiner, right: Joiner, life: Life, target: ReadonlyMap<Life, Life>): Life | null {
  // Lives that the right piece kept apart for the left one to decide (joiner.ts inDoubt).
  const decided = life.first > right.state.origin + DOUBT;
  let known = left.state.table.find(life.hash, life.check);
  if (life.head === 0 && life.parent !== null) {
    const said = saidBefore(life, known, target);
    if (said !== null) return said;
  }
  const place = hasPlace(life, known) ? life.instance : null;
  for (; known !== null; known = known.older) {
    const samePlace = known.host === life.host && (place === null || known.instance === place);
    const byLink = isNamedByFilter(known) || isNamedByFilter(life);
    if ((!samePlace && !byLink) || !claimable(known, life.first)) continue;
    // A life of the right piece on top: the line that began this one did not want it either.
    if (decided && target.has(known)) return null;
    if (!left.inDoubt(known, life.head, life.first) && accepts(known, life)) return known;
    // A link looks further.
    if (life.head !== 0) return null;
  }
  return null;
}

/** Whether only a life of the same instance is asked for: where there is none, Postfix may have said another name. */
function hasPlace(life: Life, newest: Life | null): boolean {
  if (life.mta !== POSTFIX || !mayHaveOtherName(life.head)) return true;
  for (let known = newest; known !== null; known = known.older)
    if (known.host === life.host && known.instance === life.instance && claimable(known, life.first))
      return true;
  return false;
}

/** The life that the parent has named by the same id before. */
function saidBefore(life: Life, newest: Life | null, target: ReadonlyMap<Life, Life>): Life | null {
  const parent = target.get(life.parent!);
  for (let known = newest; known !== null; known = known.older) {
    if (known.parent === null || known.relation !== life.relation) continue;
    if ((target.get(known.parent) ?? known.parent) === parent) return known;
  }
  return null;
}

function isProxied(life: Life): boolean {
  return life.proxied || life.proxyPid > 0;
}

/** The joiner's rules, by the kind of line that began the life on the right. */
function accepts(known: Life, life: Life): boolean {
  switch (life.head) {
    case 0:
      // An older id that a later life named (`orig_id=`): whatever had it last.
      if (life.parent === null) return isProxied(life) || life.next.length > 0;
      if (known.parent !== null) return false;
      if (life.relation === REPORTS) return mayReport(known);
      return life.parent.recipients.some((r) => r.forwardedTo === life)
        ? mayContinue(known)
        : mayBeHandedOver(life.parent, known);
    case ARRIVAL:
      return !known.arrived && known.end === 0 && life.first - known.first <= OUT_OF_ORDER;
    case MESSAGE_ID:
      return takesEnvelope(known) && mayHaveMessageId(known, life.first);
    case ENVELOPE:
      return takesEnvelope(known);
    case SUBMISSION:
      return !known.arrived || (known.size === life.size && life.first - known.first <= OUT_OF_ORDER);
    case END:
      return mayEndBy(known, life.end);
    case QUEUE_NEW:
      if (!life.accepted) return mayBeAnnouncedAgain(known);
      return isAnnouncedAgain(known, life.qp, life.size, life.reversePath);
    case QUEUE_INFO:
      if (known.accepted) return isAnnouncedAgain(known, life.qp, life.size, life.reversePath);
      return known.end === 0;
    default:
      return true;
  }
}

/** Adds what the right piece knows of a life to what the left one knows. */
function absorb(known: Life, life: Life): void {
  if (known.head === 0) {
    known.head = life.head;
    known.host = life.host;
    known.instance = life.instance;
  }
  if (!life.closed) known.closed = false;
  known.first = Math.min(known.first, life.first);
  known.last = Math.max(known.last, life.last);
  known.begun ||= life.begun;
  // cleanup(8) itself bounces what it refuses of a local submission.
  if (known.mta === POSTFIX && known.origin === ORIGIN_LOCAL && life.recipients.length > 0)
    known.accepted = true;
  if (life.proxied || (life.arrived && !known.arrived && !known.proxied)) {
    known.proxied ||= life.proxied;
    known.proxyPid = 0;
    known.clientName = life.clientName;
    known.clientIp = life.clientIp;
  }
  if (life.arrived && !known.arrived) {
    known.arrived = true;
    known.origin = life.origin;
    known.uid = life.uid;
    known.pid = life.pid;
    if (known.size < 0) known.size = life.size;
    if (known.envelopeRecipients < 0) known.envelopeRecipients = life.envelopeRecipients;
  }
  known.authUser ??= life.authUser;
  // Postfix's queue manager takes up what is no longer on hold.
  known.held = life.held || (known.held && !(life.accepted && life.mta === POSTFIX));
  if (life.accepted && (!known.accepted || (known.size < 0 && life.size >= 0))) {
    known.accepted = true;
    known.size = life.size;
    known.envelopeRecipients = life.envelopeRecipients;
    known.qp = life.qp;
    if (known.uid < 0) known.uid = life.uid;
    if (!known.senderChanged) known.reversePath = life.reversePath ?? known.reversePath;
  }
  known.recipientsChanged += life.recipientsChanged;
  if (life.senderChanged) {
    known.senderChanged = true;
    known.reversePath = life.reversePath;
  } else known.reversePath ??= life.reversePath;
  if (known.messageKey === 0) known.messageKey = life.messageKey;
  known.messageId ??= life.messageId;
  known.refused ||= life.refused;
  known.discarded ||= life.discarded;
  known.dsnLost ||= life.dsnLost;
  for (const pass of life.passes) if (!known.passes.includes(pass)) known.passes = [...known.passes, pass];
  known.mark ??= life.mark;
  known.spf ??= life.spf;
  if (!Number.isNaN(life.expiredAt)) {
    known.expiredAt = life.expiredAt;
    for (const r of known.recipients) {
      if (r.outcome !== DEFERRED && r.outcome !== QUEUED) continue;
      r.outcome = GIVEN_UP;
      r.at = life.expiredAt;
    }
  }
  for (const r of life.recipients) absorbRecipient(known, r);
  if (life.end !== 0 && !life.impliedEnd && !isDiscardedAtOnce(known)) {
    known.end = life.end;
    known.impliedEnd = false;
  }
  known.endByQueueManager ||= life.endByQueueManager;
}

function absorbRecipient(known: Life, r: Recipient): void {
  const own = known.findRecipient(r.key);
  if (own === null) {
    if (r.attempts === 0 && isForPostmaster(known, r.outcome, r.at)) return;
    const added = known.addRecipient(r.key, r.address, r.original);
    copyOutcome(added, r, false);
    added.attempts = r.attempts;
    added.local = r.local;
    return;
  }
  if (own.address === '') {
    own.address = r.address;
    own.original = r.original;
  }
  if (hasItAlready(known, own, r.outcome)) return;
  own.attempts += r.attempts;
  own.local ||= r.local;
  if (r.outcome !== 0) copyOutcome(own, r, own.outcome === SENT && !own.handedOn);
}

function copyOutcome(own: Recipient, r: Recipient, wasDelivered: boolean): void {
  own.outcome = r.outcome;
  own.status = r.status;
  own.relay = r.relay;
  own.reply = r.reply;
  own.at = r.at;
  own.handedOn = r.handedOn && !(wasDelivered && r.forwardedTo !== null);
  own.keptToo = r.keptToo;
  // A second delivery to the same address does not take back the forward of the first.
  own.forwardedTo = r.forwardedTo ?? own.forwardedTo;
}

/** Points the links of a life of the right piece at the lives that they have become. */
function relink(life: Life, target: ReadonlyMap<Life, Life>): void {
  const own = target.get(life)!;
  for (const link of life.dsns) {
    if (link.child !== null) link.child = target.get(link.child) ?? link.child;
    if (own === life) continue;
    if (link.child === null || !own.dsns.some((known) => known.child === link.child)) own.addDsn(link);
  }
  const next = life.next.map((child) => target.get(child) ?? child);
  if (own === life) life.next = next;
  else if (next.length > 0) own.next = [...new Set([...own.next, ...next])];
  for (const r of own.recipients)
    if (r.forwardedTo !== null) r.forwardedTo = target.get(r.forwardedTo) ?? r.forwardedTo;
  if (life.parent === null) return;
  const parent = target.get(life.parent) ?? life.parent;
  if (own === life) {
    life.parent = parent;
  } else adopt(own, life, target);
}

/** The parent of a life of the right piece becomes that of the life that goes on, where it has none. */
function adopt(own: Life, life: Life, target: ReadonlyMap<Life, Life>): void {
  if (own.parent !== null || life.parent === null) return;
  const parent = target.get(life.parent) ?? life.parent;
  // Not its own ancestor; links above may still be those of the right piece.
  for (let above: Life | null = parent; above !== null; above = above.parent)
    if ((target.get(above) ?? above) === own) return;
  own.parent = parent;
  own.relation = life.relation;
}

/** A child that belongs to another parent already is not this one's. */
function keepOwnChildren(life: Life): void {
  if (life.next.some((child) => child.parent !== life))
    life.next = life.next.filter((child) => child.parent === life);
  if (life.dsns.some((link) => link.child !== null && link.child.parent !== life)) {
    life.dsns = life.dsns.filter((link) => link.child === null || link.child.parent === life);
  }
}

/** The joiner's question (isOwn, handOver), asked where the left piece is known: did this host talk to itself? */
function meetHop(left: Joiner, hop: Hop, target: ReadonlyMap<Life, Life>): void {
  const life = target.get(hop.life);
  if (life === undefined) return;
  const recipient = life.findRecipient(hop.recipient.key) ?? hop.recipient;
  let own = false;
  let taken: Life | null = null;
  for (
    let next = left.state.table.find(hop.hash, checkOf(hop.check, QUEUE_ID));
    next !== null;
    next = next.older
  ) {
    if (next.parent === life && next.relation === CONTINUES) {
      recipient.handedOn = true;
      return;
    }
    if (isOwnHop(life, hop.relay, next)) own = true;
    if (next.parent !== null || rootOf(life) === next || !mayBeHandedOver(life, next)) continue;
    if (taken === null || (taken.host !== life.host && next.host === life.host)) taken = next;
  }
  if (own && taken !== null) {
    left.attach(life, taken, CONTINUES);
    recipient.handedOn = true;
  } else if (left.isLeftOpen) left.state.hops.push({ ...hop, life, recipient });
}

/** What the left piece was waiting for, and lives of the right piece that it concerns. */
function meetAtSeam(left: Joiner, lives: readonly Life[], target: ReadonlyMap<Life, Life>): void {
  const { state } = left;
  for (const rightLife of lives) {
    const life = target.get(rightLife)!;
    if (life.qp < 0 || rightLife.qp < 0) continue;
    const client = state.clientByQp.get(life.host, life.qp);
    if (client !== undefined && life.first - client.at <= SESSION_FACTS) applyClient(life, client);
    if (life.parent !== null) continue;
    const forward = state.forwardByQp.get(life.host, life.qp);
    if (
      forward !== undefined &&
      forward.life.serial === forward.serial &&
      life.first - forward.at <= COMES_BACK_WITHIN
    ) {
      state.forwardByQp.delete(life.host, life.qp);
      if (left.forward(forward.life, forward.recipient, life)) continue;
    }
    const orphan = state.orphanForwards.get(life.host, life.qp);
    if (orphan !== undefined) {
      state.orphanForwards.delete(life.host, life.qp);
      if (life.first - orphan <= OUT_OF_ORDER) life.arrived = false;
    }
    if (life.reversePath !== '' && life.reversePath !== '#@[]') continue;
    const bounce = state.bounceByQp.get(life.host, life.qp);
    if (bounce === undefined) continue;
    state.bounceByQp.delete(life.host, life.qp);
    state.qpJoins.add(life.host);
    left.claimBounce(bounce, life);
  }
}

/** What sessions and SPF filters on the left said before the lines of `rightLife` came. */
function meetSession(left: Joiner, rightLife: Life, life: Life, seen: Set<string>): void {
  const { sessions, checks } = left.state;
  if (rightLife.proxyPid > 0) {
    const facts = sessions.get(rightLife.host, rightLife.proxyPid);
    if (facts !== undefined && facts.clientIp !== null && rightLife.first - facts.at <= SESSION_FACTS)
      applyProxy(life, facts);
    else if (left.isLeftOpen) life.proxyPid = rightLife.proxyPid;
  }
  const session = `${rightLife.host} ${rightLife.pid}`;
  if (life.mta === POSTFIX && rightLife.head === ARRIVAL && !seen.has(session)) {
    seen.add(session);
    const facts = sessions.get(rightLife.host, rightLife.pid);
    if (facts !== undefined && facts.discard !== null && rightLife.first - facts.at <= SESSION_FACTS)
      left.actBySession(life, facts);
  }
  if (rightLife.accepted || rightLife.head === SUBMISSION) life.spf ??= findCheck(checks, life);
}

/** The tables of open things: the right piece knows better. */
function mergeTables(left: Joiner, right: Joiner, target: ReadonlyMap<Life, Life>): void {
  const { state } = left;
  const from = right.state;
  for (const [host, countedFrom] of from.restarted.entries()) {
    state.deliveries.forget(host, countedFrom);
    state.restarted.set(host, countedFrom, true);
  }
  for (const [host, number, delivery] of from.deliveries.entries()) {
    const life = target.get(delivery.life);
    if (life === undefined) continue;
    const recipient = life.findRecipient(delivery.recipient.key) ?? delivery.recipient;
    state.deliveries.set(host, number, { life, serial: life.serial, recipient, at: delivery.at });
  }
  for (const [host, pid, facts] of from.sessions.entries()) state.sessions.set(host, pid, facts);
  for (const [host, qp, facts] of from.clientByQp.entries()) {
    const life = state.lifeByQp.get(host, qp);
    if (life !== undefined && life.qp === qp && Math.abs(facts.at - life.first) <= SESSION_FACTS)
      applyClient(life, facts);
    else state.clientByQp.set(host, qp, facts);
  }
  for (const [host, qp, bounce] of from.bounceByQp.entries()) {
    const life = target.get(bounce.life);
    if (life !== undefined) state.bounceByQp.set(host, qp, { life, link: bounce.link });
  }
  for (const [host, qp, forward] of from.forwardByQp.entries()) {
    const life = target.get(forward.life);
    if (life === undefined) continue;
    const recipient = forward.recipient && (life.findRecipient(forward.recipient.key) ?? forward.recipient);
    state.forwardByQp.set(host, qp, { life, serial: life.serial, recipient, at: forward.at });
  }
  for (const [host, qp, at] of from.orphanForwards.entries()) left.orphanForward(host, qp, at);
  for (const [host, last] of from.lastResult) {
    const life = target.get(last.life);
    if (life === undefined) continue;
    const recipient = life.findRecipient(last.recipient.key) ?? last.recipient;
    state.lastResult.set(host, { stamp: last.stamp, life, serial: life.serial, recipient });
  }
  for (const [key, check] of from.checks) {
    meetCheck(left, check);
    state.checks.set(key, check);
  }
  for (const [key, pieces] of from.parts) state.parts.set(key, pieces);
}

/** A milter's word about a message whose own lines all stand on the left. */
function meetCheck(left: Joiner, { host, hash, check, at, result }: SenderCheck): void {
  if (host < 0) return;
  for (let life = left.state.table.find(hash, checkOf(check, QUEUE_ID)); life !== null; life = life.older) {
    if (life.host !== host || !claimable(life, at)) continue;
    life.spf ??= SPF_NAMES[result];
    return;
  }
}

/** sendmail's end is inferred from all that is known; and whatever has ended waits to be closed. */
function settle(left: Joiner, life: Life): void {
  if (life.mta === SENDMAIL && (life.end === 0 || life.impliedEnd)) {
    if (impliesEnd(life)) left.implyEnd(life);
    else if (life.impliedEnd) left.resume(life);
  }
  if (life.discarded && life.end === 0 && life.arrived) life.end = END_DISCARDED;
  // It waited there.
  life.waitsUntil = Number.POSITIVE_INFINITY;
  if (!life.closed) left.state.wait(life);
}

function retireFinished(left: Joiner, lives: readonly Life[], target: ReadonlyMap<Life, Life>): void {
  const roots = new Set<Life>();
  for (const life of lives) roots.add(rootOf(target.get(life)!));
  for (const root of roots) {
    root.pendingInTree = openIn(root);
    left.state.held.delete(root);
    if (root.pendingInTree === 0) left.retire(root);
    else if (root.closed) left.state.closedRoots.add(root);
  }
}
