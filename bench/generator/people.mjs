// Who writes to whom: mailboxes, mail exchangers and clients. By default heavy-tailed pools (a few busy ones, many rare
// ones); with `unique` nobody and nothing is ever seen twice, the worst case for every table of a reader.
// Domains are reserved ones; addresses are from 198.18.0.0/15 (benchmarks) and 240.0.0.0/4 (reserved).

const FIRST =
  'alice bob carol dave erin frank grace heidi igor judy kofi lars mike nils oscar peggy quinn ravi sara tom uma vera walt xena yan zoe'.split(
    ' ',
  );
const LAST =
  'abel baker costa duval evans fischer green hoff irwin jones king lopez moss north owen price quist reed stone tran urban vance weber young zhang'.split(
    ' ',
  );
const WORDS =
  'acme blue cedar delta ember falcon gamma harbor indigo juniper kestrel lumen maple nimbus onyx pioneer quartz river summit tundra union vector willow zenith'.split(
    ' ',
  );
const TOPS = ['example.com', 'example.net', 'example.org', 'example.test', 'example.invalid'];

const POOL = { strangers: 4000, users: 1500, staff: 2500, domains: 600, clients: 6000 };

/**
 * @typedef {{ name: string, ip: string, text: string }} Host text is `name[ip]`
 * @typedef {{ address: string, local: string, mx: Host }} Mailbox
 */

/** A string that is one piece in memory: the pools' strings are copied millions of times. @param {string} text */
const flat = (text) => Buffer.from(text, 'latin1').toString('latin1');

/** @param {string} name @param {string} ip @returns {Host} */
const host = (name, ip) => ({ name: flat(name), ip: flat(ip), text: flat(`${name}[${ip}]`) });

/**
 * @param {import('./random.mjs').Random} random
 * @param {boolean} unique
 * @param {string} domain our own
 */
export function makePeople(random, unique, domain) {
  let serial = 0;

  const benchmarkIp = (/** @type {number} */ n) => `198.${18 + ((n >> 16) & 1)}.${(n >> 8) & 255}.${n & 255}`;
  const reservedIp = (/** @type {number} */ n) =>
    `${240 + ((n >> 24) & 15)}.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}`;

  function localPart(/** @type {number} */ n) {
    const separator = ['.', '_', '', '-'][n & 3];
    return `${random.pick(FIRST)}${separator}${random.pick(LAST)}${n}`;
  }

  /** @param {number} n @param {string} at @param {Host} mx @returns {Mailbox} */
  function mailbox(n, at, mx) {
    const local = localPart(n);
    return { address: `${local}@${at}`, local, mx };
  }

  function newDomain(/** @type {number} */ n, /** @type {string} */ ip) {
    const name = `${WORDS[n % WORDS.length]}${n}.${TOPS[n % TOPS.length]}`;
    return {
      name,
      mx: unique ? { name: `mx.${name}`, ip, text: `mx.${name}[${ip}]` } : host(`mx.${name}`, ip),
    };
  }

  function newClient(/** @type {number} */ n, /** @type {string} */ ip) {
    if (n % 3 === 0) return host('unknown', ip);
    return n % 3 === 1
      ? host(`mail${n}.${WORDS[n % WORDS.length]}.example.net`, ip)
      : host(`host-${n}.dyn.example.invalid`, ip);
  }

  const loopback = host('localhost', '127.0.0.1');
  const store = host(`store.int.${domain}`, '203.0.113.20');

  if (unique) {
    return {
      loopback,
      stranger: () => {
        const n = ++serial;
        const at = newDomain(n, reservedIp(n));
        return mailbox(n, at.name, at.mx);
      },
      user: () => mailbox(++serial, domain, store),
      staff: () => {
        const n = ++serial;
        const ip = reservedIp(n);
        return mailbox(n, `staff.${domain}`, {
          name: `store${n}.int.${domain}`,
          ip,
          text: `store${n}.int.${domain}[${ip}]`,
        });
      },
      client: () => {
        const n = ++serial;
        return newClient(n, reservedIp(n));
      },
    };
  }

  const fill = (/** @type {number} */ size, /** @type {(n: number) => any} */ make) =>
    Array.from({ length: size }, (_, n) => make(n));
  const settle = (/** @type {Mailbox} */ box) => ({
    address: flat(box.address),
    local: flat(box.local),
    mx: box.mx,
  });
  const domains = fill(POOL.domains, (n) => newDomain(n, benchmarkIp(n)));
  const strangers = fill(POOL.strangers, (n) => {
    const at = domains[random.tailed(POOL.domains)];
    return settle(mailbox(n, at.name, at.mx));
  });
  const users = fill(POOL.users, (n) => settle(mailbox(n, domain, store)));
  const staff = fill(POOL.staff, (n) => settle(mailbox(n, `staff.${domain}`, store)));
  const clients = fill(POOL.clients, (n) => newClient(n, benchmarkIp(4096 + 7 * n)));
  return {
    loopback,
    stranger: () => /** @type {Mailbox} */ (strangers[random.tailed(POOL.strangers)]),
    user: () => /** @type {Mailbox} */ (users[random.tailed(POOL.users)]),
    staff: () => /** @type {Mailbox} */ (staff[random.tailed(POOL.staff)]),
    client: () => /** @type {Host} */ (clients[random.tailed(POOL.clients)]),
  };
}
/** @typedef {ReturnType<typeof makePeople>} People */
