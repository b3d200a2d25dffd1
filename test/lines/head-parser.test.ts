import { describe, expect, it } from 'vitest';
import { REPEAT_LAST, REPEAT_NONE, REPEAT_TEXT } from '../../src/lines/head.ts';
import { type PlainHead, Reader, read } from './reading.ts';

const SMTPD = {
  ok: true,
  tag: 'postfix/smtpd',
  program: 'postfix',
  daemon: 'smtpd',
  instance: 'postfix',
  pid: 24,
  text: 'connect from unknown[198.51.100.7]',
  repeat: REPEAT_NONE,
};
const AT_41 = '2026-11-21T01:58:41.000Z';
const AT_41_PRECISE = '2026-11-21T01:58:41.245Z';

/** letter of log-formats.md 1.1, what it is, the line, what its head says */
const CATALOGUE: [string, string, string, Partial<PlainHead>][] = [
  [
    'a',
    'RFC 3164',
    'Nov  1 04:05:06 mx sm-mta[204]: 6AL1rels000204: from=<a@example.com>, size=1',
    {
      time: '2026-11-01T04:05:06.000Z',
      host: 'mx',
      tag: 'sm-mta',
      program: 'sendmail',
      daemon: '',
      pid: 204,
      text: '6AL1rels000204: from=<a@example.com>, size=1',
    },
  ],
  [
    'b',
    'a missing host',
    'Jul 15 10:15:31 sm-mta[12697]: 06FAFTbL012697: from=<a@example.com>, size=1',
    {
      time: '2026-07-15T10:15:31.000Z',
      host: '',
      tag: 'sm-mta',
      program: 'sendmail',
      pid: 12697,
      text: '06FAFTbL012697: from=<a@example.com>, size=1',
    },
  ],
  [
    'c',
    'RFC 3339',
    '2026-11-21T01:51:04.366563+00:00 mx sm-mta[203]: 6AL1p4aa000203: to=x',
    { time: '2026-11-21T01:51:04.366Z', host: 'mx', tag: 'sm-mta', pid: 203, text: '6AL1p4aa000203: to=x' },
  ],
  [
    'd',
    'RFC 5424 with APP-NAME cut at the slash',
    '<22>1 2026-11-21T01:58:41.245716+00:00 mx postfix 24 - -  connect from unknown[198.51.100.7]',
    { ...SMTPD, time: AT_41_PRECISE, host: 'mx', tag: 'postfix', daemon: '' },
  ],
  [
    'e',
    'RFC 3339 behind a priority',
    '<22>2026-11-21T01:58:41.245716+00:00 mx postfix/smtpd[24]: connect from unknown[198.51.100.7]',
    { ...SMTPD, time: AT_41_PRECISE, host: 'mx' },
  ],
  [
    'f',
    'RFC 3164 behind a priority',
    '<22>Nov 21 01:58:41 mx postfix/smtpd[24]: connect from unknown[198.51.100.7]',
    { ...SMTPD, time: AT_41, host: 'mx' },
  ],
  [
    'g',
    "Solaris' message id",
    'Nov 21 01:58:41 mx sendmail[204]: [ID 801593 mail.info] 6AL1rels000204: from=<a@example.com>',
    { time: AT_41, host: 'mx', program: 'sendmail', pid: 204, text: '6AL1rels000204: from=<a@example.com>' },
  ],
  [
    'h',
    "BSD's priority before the host",
    'Nov 21 01:58:41 <mail.info> mx postfix/smtpd[24]: connect from unknown[198.51.100.7]',
    { ...SMTPD, time: AT_41, host: 'mx' },
  ],
  [
    'h',
    "BSD's priority in numbers",
    'Nov 21 01:58:41 <2.6> mx postfix/smtpd[24]: connect from unknown[198.51.100.7]',
    { ...SMTPD, time: AT_41, host: 'mx' },
  ],
  [
    'i',
    "busybox' priority behind the host",
    'Nov 21 01:58:41 mx mail.info postfix/smtpd[24]: connect from unknown[198.51.100.7]',
    { ...SMTPD, time: AT_41, host: 'mx' },
  ],
  [
    'j',
    'busybox -S, no host',
    'Nov 21 01:58:41 postfix/smtpd[24]: connect from unknown[198.51.100.7]',
    { ...SMTPD, time: AT_41, host: '' },
  ],
  [
    'k',
    "AIX' priority behind the host",
    'Nov 21 01:58:41 mx mail:info sendmail[204]: 6AL1rels000204: from=<a@example.com>',
    { time: AT_41, host: 'mx', tag: 'sendmail', pid: 204, text: '6AL1rels000204: from=<a@example.com>' },
  ],
  [
    'l',
    "macOS' launchd",
    'Nov 21 01:58:41 mx com.apple.xpc.launchd[1] (org.postfix.master): Service exited',
    { time: AT_41, host: 'mx', tag: 'com.apple.xpc.launchd', program: 'other', pid: 1 },
  ],
  [
    'm',
    "Postfix' maillog_file, day padded with zero",
    'Nov 01 04:05:06 mx postfix/smtpd[24]: connect from unknown[198.51.100.7]',
    { ...SMTPD, time: '2026-11-01T04:05:06.000Z', host: 'mx' },
  ],
  [
    'n',
    'multilog with TAI64N',
    '@400000006b00fa5d05fc2484 new msg 2253396',
    {
      time: '2026-11-21T01:56:35.100Z',
      host: '',
      tag: '',
      program: 'unknown',
      pid: 0,
      text: 'new msg 2253396',
    },
  ],
  [
    'o',
    'splogger',
    'Nov 21 01:57:47 mx qmail: 1795226267.923730 new msg 2253869',
    {
      time: '2026-11-21T01:57:47.923Z',
      host: 'mx',
      tag: 'qmail',
      program: 'qmail',
      text: 'new msg 2253869',
      sploggerStamp: 1795226267.92373,
      continuation: false,
    },
  ],
  ['p', 'bare text', 'new msg 2253396', { ok: false, text: 'new msg 2253396' }],
  [
    'q',
    'journalctl short-precise',
    'Nov 21 01:58:41.245716 mx postfix/smtpd[24]: connect from unknown[198.51.100.7]',
    { ...SMTPD, time: AT_41_PRECISE, host: 'mx' },
  ],
  [
    'r',
    'journalctl short-iso',
    '2026-11-21T01:58:41+0000 mx postfix/smtpd[24]: connect from unknown[198.51.100.7]',
    { ...SMTPD, time: AT_41, host: 'mx' },
  ],
  [
    'r',
    'journalctl short-iso-precise',
    '2026-11-21T02:58:41.245716+0100 mx postfix/smtpd[24]: connect from unknown[198.51.100.7]',
    { ...SMTPD, time: AT_41_PRECISE, host: 'mx' },
  ],
  [
    's',
    'journalctl short-full',
    'Sat 2026-11-21 01:58:41 UTC mx postfix/smtpd[24]: connect from unknown[198.51.100.7]',
    { ...SMTPD, time: AT_41, host: 'mx' },
  ],
  [
    's',
    'journalctl short-unix',
    '1795226321.245716 mx postfix/smtpd[24]: connect from unknown[198.51.100.7]',
    { ...SMTPD, time: AT_41_PRECISE, host: 'mx' },
  ],
];

describe('the head of a line, catalogue of log-formats.md 1.1', () => {
  for (const [letter, what, line, expected] of CATALOGUE) {
    it(`(${letter}) reads ${what}`, () => {
      expect(read(line)).toMatchObject({ ok: true, ...expected });
    });
  }

  it('reads every row again behind every other row, whatever was remembered of the line before', () => {
    for (const [, , before] of CATALOGUE) {
      for (const [, , line, expected] of CATALOGUE) {
        const reader = new Reader({ year: 2026 });
        for (const warm of [before, line, before]) reader.read(warm);
        expect(reader.read(line)).toMatchObject({ ok: true, ...expected });
      }
    }
  });
});

describe('stamps', () => {
  const TIMES: [string, string][] = [
    ['Jul 2 10:01:21 mail postfix/qmgr[1237]: 123456789: removed', '2026-07-02T10:01:21.000Z'],
    [
      '2013 Jun 16 16:05:07.123 gds39d postfix/qmgr[6273]: 3bZLDu1V55z37Dv: removed',
      '2013-06-16T16:05:07.123Z',
    ],
    ['Jun 16 2013 16:05:07 gds39d postfix/qmgr[6273]: 3bZLDu1V55z37Dv: removed', '2013-06-16T16:05:07.000Z'],
    ['2021-02-06T11:19:26+01:00 mail postfix/qmgr[31205]: 42E683DD0B: removed', '2021-02-06T10:19:26.000Z'],
    [
      '2024-03-22T08:00:04.000Z mailhost postfix/qmgr[12347]: ABCDE12345: removed',
      '2024-03-22T08:00:04.000Z',
    ],
    [
      '2024-03-22T08:00:04-0330 mailhost postfix/qmgr[12347]: ABCDE12345: removed',
      '2024-03-22T11:30:04.000Z',
    ],
    [
      '2024-03-22T08:00:04,5+00 mailhost postfix/qmgr[12347]: ABCDE12345: removed',
      '2024-03-22T08:00:04.500Z',
    ],
  ];
  for (const [line, time] of TIMES) {
    it(`reads ${line.slice(0, 34).trim()}…`, () => {
      const head = read(line);
      expect(head).toMatchObject({ ok: true, time, daemon: 'qmgr' });
      expect(head.text).toMatch(/^\w+: removed$/);
    });
  }

  it('keeps all digits of a TAI64N label: the check value of log-formats.md 1.8', () => {
    const reader = new Reader();
    reader.read('@400000006b00fa5d05fc2484 new msg 2253396');
    expect(reader.parser.head.instant).toBeCloseTo(Date.UTC(2026, 10, 21, 1, 56, 35) + 100.4105, 3);
  });

  it('gives equal TAI64N labels equal instants', () => {
    const reader = new Reader();
    const instants = ['new msg 1', 'end msg 1'].map((text) => {
      reader.read(`@400000006b00fa5d05fc2484 ${text} and some more`);
      return reader.parser.head.instant;
    });
    expect(instants[0]).toBe(instants[1]);
  });

  it('takes 37 s off the label of s6-log when told so', () => {
    const line = '@400000006b00fa7805fc2484 new msg 2253396';
    expect(read(line, { tai64Offset: 37 }).time).toBe('2026-11-21T01:56:35.100Z');
  });

  it('reads tai64nlocal in the zone of the log', () => {
    expect(read('2026-11-21 01:56:35.100410500 end msg 574692321', { zone: 'Europe/Berlin' })).toMatchObject({
      ok: true,
      time: '2026-11-21T00:56:35.100Z',
      host: '',
      tag: '',
      text: 'end msg 574692321',
    });
  });

  it('reads a plain epoch, and takes no word of qmail for a host or tag', () => {
    for (const text of [
      'new msg 161214',
      'delivery 1: success: did_0+0+1/',
      'status: local 0/10 remote 1/20',
      'double bounce: discarding bounce/161214',
      'tcpserver: status: 1/80',
    ]) {
      for (const stamp of [
        '1054189746.123136',
        '@400000003ed9a4bc075700c0',
        '2003-05-29 06:29:06.123136000',
      ]) {
        expect(read(`${stamp} ${text}`)).toMatchObject({
          ok: true,
          host: '',
          tag: '',
          program: 'unknown',
          text,
        });
      }
    }
    expect(read('1054189746.123136 new msg 161214').time).toBe('2003-05-29T06:29:06.123Z');
  });

  it('reads the prefix of a cluster collector and believes its epoch', () => {
    const line =
      '- 1131566491 2005.11.09 eadmin1 Nov 9 12:01:31 src@eadmin1 sendmail[4306]: jA9J1UvC004306: from=root, size=629060';
    expect(read(line)).toMatchObject({
      ok: true,
      time: '2005-11-09T20:01:31.000Z',
      host: 'src@eadmin1',
      program: 'sendmail',
      pid: 4306,
      text: 'jA9J1UvC004306: from=root, size=629060',
    });
  });

  it('refuses what is no stamp', () => {
    for (const line of [
      'Jan: 1 00:00:00 hostname postfix/postscreen[12345]: foo',
      '021-02-06T10:57:57+01:00 mail.server.com postfix/smtpd[59633]: D6DDA23B0F: client=unknown',
      'Nov 31 01:58:41 mx postfix/smtpd[24]: connect from unknown[198.51.100.7]',
      'Nov 21 25:58:41 mx postfix/smtpd[24]: connect from unknown[198.51.100.7]',
      '2026-13-21T01:58:41+00:00 mx postfix/smtpd[24]: connect from unknown[198.51.100.7]',
      '@400000006b00fa5d05fc248 new msg 2253396 and some more text',
      '# lmtp',
      '[27-Oct-2020 12:00:37 +0100]: <20cd0a1a> Found 7 matches',
    ]) {
      expect(read(line)).toMatchObject({ ok: false, time: null, text: line });
    }
  });
});

describe('wrappers', () => {
  it('reads journalctl -o json', () => {
    const entry = {
      _HOSTNAME: 'mx1.corp.test',
      SYSLOG_IDENTIFIER: 'postfix/smtpd',
      MESSAGE: 'connect from unknown[198.51.100.7]',
      SYSLOG_PID: '24',
      _PID: '25',
      __REALTIME_TIMESTAMP: '1795225572898606',
      _SOURCE_REALTIME_TIMESTAMP: '1795225572894093',
    };
    const expected = { ...SMTPD, time: '2026-11-21T01:46:12.894Z', host: 'mx1.corp.test' };
    expect(read(JSON.stringify(entry))).toMatchObject(expected);
    const bytes = [...Buffer.from('caf\xe9', 'latin1')];
    expect(read(JSON.stringify({ ...entry, MESSAGE: bytes })).text).toBe('caf\xe9');
    expect(read(JSON.stringify({ ...entry, MESSAGE: null }))).toMatchObject({ ...expected, text: '' });
    const repeated = { ...entry, SYSLOG_IDENTIFIER: ['postfix/smtpd', 'x'], _HOSTNAME: ['mx1.corp.test'] };
    expect(read(JSON.stringify(repeated))).toMatchObject(expected);
    const { _SOURCE_REALTIME_TIMESTAMP, SYSLOG_PID, ...less } = entry;
    expect(read(JSON.stringify(less))).toMatchObject({
      ...expected,
      pid: 25,
      time: '2026-11-21T01:46:12.898Z',
    });
  });

  it("takes splogger's stamp inside a journal entry", () => {
    const entry = {
      MESSAGE: '1795226267.923730 new msg 5',
      SYSLOG_IDENTIFIER: 'qmail',
      __REALTIME_TIMESTAMP: '1795226268000000',
    };
    expect(read(JSON.stringify(entry))).toMatchObject({
      time: '2026-11-21T01:57:47.923Z',
      program: 'qmail',
      text: 'new msg 5',
      sploggerStamp: 1795226267.92373,
    });
  });

  it('reads the head inside the journal entry of a container', () => {
    const MESSAGE = 'Nov 21 01:58:41 mx postfix/smtpd[24]: connect from unknown[198.51.100.7]';
    const entry = {
      MESSAGE,
      CONTAINER_ID: 'f86adfc82f78',
      SYSLOG_IDENTIFIER: 'f86adfc82f78',
      _HOSTNAME: 'node1',
    };
    expect(read(JSON.stringify({ ...entry, __REALTIME_TIMESTAMP: '1795226321245716' }))).toMatchObject({
      ...SMTPD,
      time: AT_41_PRECISE,
      host: 'mx',
    });
  });

  const inner = 'Nov 21 01:58:41 mx postfix/smtpd[24]: connect from unknown[198.51.100.7]';

  it('reads Docker json-file, and prefers its stamp to one without year and zone', () => {
    const line = JSON.stringify({
      log: `${inner}\n`,
      stream: 'stdout',
      time: '2025-11-21T01:58:41.245716123Z',
    });
    expect(read(line)).toMatchObject({ ...SMTPD, time: '2025-11-21T01:58:41.245Z', host: 'mx' });
  });

  it('keeps an absolute stamp inside Docker json-file', () => {
    const log = 'Nov 21 01:57:47 mx qmail: 1795226267.923730 new msg 2253869\n';
    const line = JSON.stringify({ log, stream: 'stdout', time: '2026-11-21T02:58:41.245716123Z' });
    expect(read(line)).toMatchObject({ time: '2026-11-21T01:57:47.923Z', text: 'new msg 2253869' });
  });

  it('reads docker compose logs, coloured and with stamps', () => {
    for (const line of [
      `mail-1  | ${inner}`,
      `\x1b[36mmail-1  |\x1b[0m ${inner}`,
      `mail-1  | 2026-11-21T01:58:41.000000123Z ${inner}`,
      `mail-1  | <22>${inner}`,
    ]) {
      expect(read(line)).toMatchObject({ ...SMTPD, time: AT_41, host: 'mx' });
    }
    expect(read('mail-1  | postfix/smtpd[24]: connect from unknown[198.51.100.7]')).toMatchObject({
      ...SMTPD,
      time: null,
    });
  });

  it('reads CRI, also around a tag alone and around bare text', () => {
    const stamp = '2026-11-21T01:58:41.245716123Z stdout F ';
    expect(read(stamp + inner)).toMatchObject({ ...SMTPD, time: AT_41_PRECISE, host: 'mx' });
    expect(read(`${stamp}postfix/smtpd[24]: connect from unknown[198.51.100.7]`)).toMatchObject({
      ...SMTPD,
      time: AT_41_PRECISE,
      host: '',
    });
    expect(read(`${stamp}D4F2023DB: removed`)).toMatchObject({
      ok: true,
      time: AT_41_PRECISE,
      program: 'unknown',
      text: 'D4F2023DB: removed',
    });
  });

  it('joins the pieces of a CRI line by stream', () => {
    const reader = new Reader();
    const piece = (stream: string, flag: string, text: string) =>
      reader.read(`2026-11-21T01:58:41.245716123Z ${stream} ${flag} ${text}`);
    expect(piece('stdout', 'P', inner.slice(0, 50))).toMatchObject({ ok: true, program: 'other', text: '' });
    expect(piece('stderr', 'F', 'postfix/postlog: starting')).toMatchObject({
      daemon: 'postlog',
      text: 'starting',
    });
    expect(piece('stdout', 'P', inner.slice(50, 60))).toMatchObject({ ok: true, text: '' });
    expect(piece('stdout', 'F', inner.slice(60))).toMatchObject({ ...SMTPD, host: 'mx' });
    expect(piece('stdout', 'F', inner)).toMatchObject({ ...SMTPD, host: 'mx' });
  });

  it('reads a syslog line behind the stamp of a container runtime or of multilog', () => {
    for (const stamp of [
      '2026-11-21T01:58:41.245716123Z',
      '@400000006b00fadb0ea55c9b',
      '1795226321.245716',
    ]) {
      expect(read(`${stamp} ${inner}`)).toMatchObject({ ...SMTPD, time: AT_41_PRECISE, host: 'mx' });
    }
  });

  it('refuses JSON that is no log record, and JSON that is cut', () => {
    expect(read('{"a":1}').ok).toBe(false);
    expect(read('{"MESSAGE":"x"').ok).toBe(false);
    expect(read(`{"a":${'['.repeat(5000)}`).ok).toBe(false);
  });
});

describe('host and tag', () => {
  const AT = 'Nov 21 01:58:41';
  const HEADS: [string, Partial<PlainHead>][] = [
    [`${AT} (none) postfix/qmgr[4681]: 941EEE14DE: removed`, { host: '(none)', daemon: 'qmgr', pid: 4681 }],
    [`${AT} f86adfc82f78 postfix/qmgr[40]: 941EEE14DE: removed`, { host: 'f86adfc82f78', daemon: 'qmgr' }],
    [`${AT} 2001:db8::25 postfix/qmgr[40]: 941EEE14DE: removed`, { host: '2001:db8::25', daemon: 'qmgr' }],
    [`${AT} mx postfix/qmgr[9086] 941EEE14DE: removed`, { host: 'mx', daemon: 'qmgr', pid: 9086 }],
    [`${AT} postfix/qmgr[9086] 941EEE14DE: removed`, { host: '', daemon: 'qmgr', pid: 9086 }],
    [`${AT} mx postfix/qmgr[abcde]: 941EEE14DE: removed`, { host: 'mx', daemon: 'qmgr', pid: 0 }],
    [`${AT} [postfix/smtpd] 941EEE14DE: removed`, { host: '', tag: 'postfix/smtpd', pid: 0 }],
    [
      `${AT} mx /postfix-script[5]: 941EEE14DE: removed`,
      { program: 'postfix', daemon: 'postfix-script', instance: '' },
    ],
    [`${AT} mx postfix/submission/smtpd[5]: 941EEE14DE: removed`, { instance: 'postfix', daemon: 'smtpd' }],
    [
      `${AT} mx postfix-smo/submission/smtpd[5]: 941EEE14DE: removed`,
      { instance: 'postfix-smo', daemon: 'smtpd' },
    ],
    [`${AT} mx postfix-170.55.103.23/qmgr[5]: 941EEE14DE: removed`, { instance: 'postfix-170.55.103.23' }],
    [`${AT} mx postfix/10025/smtpd[5]: 941EEE14DE: removed`, { daemon: 'smtpd' }],
    [`${AT} mx postfix/smtpd[99999999999]: 941EEE14DE: removed`, { daemon: 'smtpd', pid: 0 }],
    [`${AT}  mx  postfix/smtpd[5]:  941EEE14DE: removed`, { host: 'mx', daemon: 'smtpd', pid: 5 }],
    [`${AT} mx postfix/smtpd[5]:941EEE14DE: removed`, { host: 'mx', daemon: 'smtpd', pid: 5 }],
  ];
  for (const [line, expected] of HEADS) {
    it(`reads ${line.slice(AT.length + 1)}`, () => {
      const reader = new Reader();
      for (const head of [reader.read(line), reader.read(line)]) {
        expect(head).toMatchObject({
          ok: true,
          time: AT_41,
          program: 'postfix',
          text: '941EEE14DE: removed',
          ...expected,
        });
      }
    });
  }

  it('does not take smtp for the smtpd of the line before, nor mx for mx2', () => {
    const reader = new Reader();
    const lines = [
      'mx postfix/smtpd',
      'mx2 postfix/smtp',
      'mx postfix/smtp',
      'm postfix/smtpd',
      'mx2 postfix/smtpd',
    ];
    for (const line of [...lines, ...lines]) {
      const [host, tag] = line.split(' ');
      expect(reader.read(`${AT} ${line}[24]: connect from nowhere`)).toMatchObject({ host, tag, pid: 24 });
    }
  });

  it('gives equal tags the same object and equal hosts the same number', () => {
    const reader = new Reader();
    reader.read(CATALOGUE[4][2]);
    const { tag, host } = reader.parser.head;
    reader.read(CATALOGUE[5][2]);
    expect(reader.parser.head.tag).toBe(tag);
    expect(reader.parser.head.host).toBe(host);
    expect(reader.tags.at(tag.number)).toBe(tag);
  });

  it('reads lines with a tag of ours and no stamp', () => {
    expect(read('qmail: new msg 53')).toMatchObject({
      ok: true,
      time: null,
      program: 'qmail',
      text: 'new msg 53',
    });
    expect(read('postfix/postlog: starting the Postfix mail system')).toMatchObject({
      ok: true,
      time: null,
      daemon: 'postlog',
      text: 'starting the Postfix mail system',
    });
    expect(read('D4F2023DB: removed')).toMatchObject({ ok: false, text: 'D4F2023DB: removed' });
  });

  it('leaves the tag unknown where there is none', () => {
    expect(read(`${AT} mx some text without a tag`)).toMatchObject({
      ok: true,
      host: 'mx',
      tag: '',
      program: 'unknown',
      text: 'some text without a tag',
    });
  });

  it('reads structured data, nil values and the byte order mark of RFC 5424', () => {
    const line =
      '<22>1 2026-11-21T01:58:41.245716Z mx postfix/smtpd 24 ID47 [a@1 b="c \\" ] d"][e@2 f="g"] \xef\xbb\xbfconnect';
    expect(read(Buffer.from(line, 'latin1'))).toMatchObject({
      host: 'mx',
      daemon: 'smtpd',
      pid: 24,
      text: 'connect',
    });
    expect(read('<22>1 - - - - - - text')).toMatchObject({
      ok: true,
      time: null,
      host: '',
      tag: '',
      text: 'text',
    });
    expect(read('<22>1 2026-11-21T01:58:41Z mx')).toMatchObject({ ok: true, host: 'mx', text: '' });
  });
});

describe('repeats', () => {
  it("reads rsyslog's form and keeps its tag", () => {
    const line =
      'Nov 21 01:58:41 mx postfix/smtpd[24]: message repeated 4 times: [ connect from unknown[198.51.100.7]]';
    expect(read(line)).toMatchObject({ ...SMTPD, host: 'mx', repeat: REPEAT_TEXT, times: 4 });
  });

  for (const text of [
    'last message repeated 2 times',
    'syslogd: last message repeated 2 times',
    '--- last message repeated 2 times ---',
  ]) {
    it(`reads ${text}`, () => {
      const reader = new Reader();
      reader.read('Nov 21 01:58:41 mx postfix/smtpd[24]: connect from unknown[198.51.100.7]');
      for (const host of ['mx ', '']) {
        expect(reader.read(`Nov 21 01:58:42 ${host}${text}`)).toMatchObject({
          ok: true,
          host: host.trim(),
          repeat: REPEAT_LAST,
          times: 2,
          text: '',
        });
      }
      expect(reader.read('Nov 21 01:58:43 mx postfix/smtpd[24]: lost connection after RCPT')).toMatchObject({
        repeat: REPEAT_NONE,
        times: 0,
        text: 'lost connection after RCPT',
      });
    });
  }
});

describe('splogger', () => {
  it('marks the rest of an over-long line, with the same stamp', () => {
    const reader = new Reader();
    reader.read('Nov 21 01:57:47 mx qmail: 1795226267.923730 delivery 1: failure: some_long_text');
    const first = reader.parser.head.sploggerStamp;
    const rest = reader.read('Nov 21 01:57:47 mx qmail: 1795226267.923730+ and_its_rest/');
    expect(rest).toMatchObject({ continuation: true, sploggerStamp: first, text: ' and_its_rest/' });
    expect(reader.read('Nov 21 01:57:48 mx postfix/smtpd[24]: 4jWZfY5sp7zJc45: removed')).toMatchObject({
      continuation: false,
      sploggerStamp: 0,
    });
  });

  it('does not take the queue id of Postfix or sendmail for a stamp', () => {
    const head = read('Nov 21 01:57:47 mx postfix/smtpd[24]: 1795226267.923730 x');
    expect(head).toMatchObject({ sploggerStamp: 0, time: '2026-11-21T01:57:47.000Z' });
  });
});

describe('damage', () => {
  const line = 'Nov 21 01:58:41 mx postfix/qmgr[24]: 941EEE14DE: removed';
  const expected = { ok: true, time: AT_41, host: 'mx', daemon: 'qmgr', text: '941EEE14DE: removed' };

  for (const [what, bytes] of [
    ['CR', `${line}\r`],
    ['trailing blanks and NULs', `${line} \t\0\0 `],
    ['leading NULs', `\0\0\0\0${line}`],
    ['a byte order mark', `\xef\xbb\xbf${line}`],
    ['the commas of a spreadsheet', `${line},,,,,,,,,,,,\r`],
  ] as const) {
    it(`cuts off ${what}`, () => {
      expect(read(Buffer.from(bytes, 'latin1'))).toMatchObject(expected);
    });
  }

  it("leaves one or two commas at the end, they may be the MTA's", () => {
    expect(read(`${line},,`).text).toBe('941EEE14DE: removed,,');
  });

  it('counts separators of journalctl and blank lines as nobody’s lines', () => {
    for (const separator of ['-- Boot 0123abcd --', '-- Reboot --', '-- Logs begin at Mon --', '', '  \r']) {
      expect(read(separator)).toMatchObject({ ok: true, time: null, program: 'other', text: '' });
    }
  });

  it('reads a line that is cut anywhere without fail', () => {
    for (const [, , whole] of CATALOGUE) {
      for (let length = 0; length < whole.length; length++) read(whole.slice(0, length));
    }
  });
});
