/** What mails say without a delivery report, and mails that are no bounces at all. */
import { describe, expect, test } from 'vitest';
import { explained, fixture, mail } from './mails.ts';

const RETURNED = [
  'Return-path: <alice@example.org>',
  'Received: from desk.example.org ([192.0.2.7])',
  '\tby mail.example.org with esmtpsa (Exim 4.96) (envelope-from <alice@example.org>)',
  '\tid 1rABCD-0001XY-2Z; Tue, 03 Nov 2026 10:00:00 +0100',
  'Message-ID: <hello@desk.example.org>',
  'From: Alice <alice@example.org>',
  'To: bob@example.net',
  'Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=',
];

describe('bounces in words', () => {
  test('Exim', async () => {
    const explanation = await explained(
      mail(
        [
          'Return-path: <>',
          'Received: from Debian-exim by mail.example.org with local (Exim 4.96)',
          '\tid 1rABCE-0001Xb-01; Tue, 03 Nov 2026 10:00:05 +0100',
          'X-Failed-Recipients: bob@example.net',
          'Auto-Submitted: auto-replied',
          'From: Mail Delivery System <Mailer-Daemon@mail.example.org>',
          'To: alice@example.org',
          'Subject: Mail delivery failed: returning message to sender',
          'Message-Id: <E1rABCE-0001Xb-01@mail.example.org>',
        ],
        [
          'This message was created automatically by mail delivery software.',
          '',
          'A message that you sent could not be delivered to one or more of its',
          'recipients. This is a permanent error. The following address(es) failed:',
          '',
          '  bob@example.net',
          '    host mx.example.net [198.51.100.9]',
          '    SMTP error from remote mail server after RCPT TO:<bob@example.net>:',
          '    550 5.1.1 <bob@example.net>: Recipient address rejected: User unknown',
          '',
          '------ This is a copy of the message, including all the headers. ------',
          '',
          ...RETURNED,
          '',
          'Hello',
        ],
      ),
    );
    expect(explanation).toMatchObject({
      type: 'failure',
      shape: 'exim',
      reporter: { mta: 'exim', host: 'mail.example.org', queue_id: '1rABCE-0001Xb-01' },
      recipients: [
        {
          recipient: 'bob@example.net',
          outcome: 'failed',
          status: '5.1.1',
          reason: 'user unknown',
          remote_mta: 'mx.example.net',
        },
      ],
      original: {
        message_id: '<hello@desk.example.org>',
        reverse_path: 'alice@example.org',
        queue_id: '1rABCD-0001XY-2Z',
        client_ip: '192.0.2.7',
        arrived_at: '2026-11-03T09:00:00.000Z',
        subject: 'Grüße',
      },
    });
  });

  test('sendmail before it knew DSNs', async () => {
    const explanation = await explained(
      mail(
        [
          'Received: by relay.example.net (8.6.12/8.6.12) id KAA01234; Tue, 3 Nov 1998 10:00:00 GMT',
          'From: Mail Delivery Subsystem <MAILER-DAEMON@relay.example.net>',
          'To: <alice@example.org>',
          'Subject: Returned mail: User unknown',
        ],
        [
          '   ----- The following addresses had delivery problems -----',
          '<bob@example.net>  (unrecoverable error)',
          '',
          '   ----- Transcript of session follows -----',
          '... while talking to mx.example.net.:',
          '>>> RCPT To:<bob@example.net>',
          '<<< 550 <bob@example.net>... User unknown',
          '550 <bob@example.net>... User unknown',
          '',
          '   ----- Original message follows -----',
          'Return-Path: <alice@example.org>',
          'Received: from desk.example.org by relay.example.net (8.6.12/8.6.12) id KAA01233; Tue, 3 Nov 1998 09:59:59 GMT',
          'Message-Id: <old@desk.example.org>',
          'From: alice@example.org',
        ],
      ),
    );
    expect(explanation).toMatchObject({
      type: 'failure',
      shape: 'sendmail',
      recipients: [{ recipient: 'bob@example.net', outcome: 'failed', reason: 'user unknown' }],
      original: {
        message_id: '<old@desk.example.org>',
        queue_id: 'KAA01233',
        reverse_path: 'alice@example.org',
      },
    });
  });

  test('Postfix, of which a mail program kept the text', async () => {
    const explanation = await explained(
      mail(
        [
          'From: MAILER-DAEMON@mx.example.net (Mail Delivery System)',
          'To: alice@example.org',
          'Subject: Undelivered Mail Returned to Sender',
        ],
        [
          'This is the mail system at host mx.example.net.',
          '',
          "I'm sorry to have to inform you that your message could not",
          'be delivered to one or more recipients.',
          '',
          '<bob@example.net>: host store.example.net[198.51.100.9] said: 552 5.2.2',
          '    <bob@example.net>: mailbox is full (in reply to RCPT TO command)',
        ],
      ),
    );
    expect(explanation).toMatchObject({
      type: 'failure',
      shape: 'postfix',
      reporter: { mta: 'postfix', host: 'mx.example.net' },
      recipients: [
        {
          recipient: 'bob@example.net',
          status: '5.2.2',
          reason: 'mailbox full',
          remote_mta: 'store.example.net',
        },
      ],
      original: { reverse_path: 'alice@example.org', returned: 'nothing' },
    });
  });

  test('Exchange', async () => {
    const explanation = await explained(
      mail(
        [
          'From: Microsoft Outlook <postmaster@corp.example>',
          'To: alice@example.org',
          'Subject: Undeliverable: Hello',
        ],
        [
          'Delivery has failed to these recipients or groups:',
          '',
          'bob@corp.example<mailto:bob@corp.example>',
          "The email address you entered couldn't be found.",
          '',
          'Diagnostic information for administrators:',
          '',
          'Generating server: ex1.corp.example',
          'bob@corp.example',
          "Remote Server returned '550 5.1.10 RESOLVER.ADR.RecipientNotFound; not found'",
        ],
      ),
    );
    expect(explanation).toMatchObject({
      type: 'failure',
      shape: 'exchange',
      reporter: { mta: 'exchange', host: 'ex1.corp.example' },
      recipients: [{ recipient: 'bob@corp.example', outcome: 'failed' }],
    });
  });

  test('only words: probably', async () => {
    const explanation = await explained(
      mail(
        [
          'Return-Path: <>',
          'From: Postmaster <postmaster@odd.example>',
          'To: alice@example.org',
          'Subject: Delivery failure',
        ],
        ['Your mail to bob@odd.example was rejected:', '550 5.7.1 message content rejected as spam'],
      ),
    );
    expect(explanation).toMatchObject({
      type: 'failure',
      shape: 'text',
      certainty: 'likely',
      recipients: [{ recipient: 'bob@odd.example', status: '5.7.1', reason: 'content refused' }],
    });
  });

  test('a delay of a qmail with a patch', async () => {
    const explanation = await explained(
      mail(
        [
          'Received: (qmail 77 invoked for bounce); 3 Nov 2026 10:00:00 -0000',
          'From: MAILER-DAEMON@qm.example',
          'To: alice@example.org',
          'Subject: delayed',
        ],
        [
          'Hi. This is the qmail-send program at qm.example.',
          'THIS IS A WARNING MESSAGE ONLY.',
          '',
          '<bob@example.net>:',
          'Sorry, I could not connect. (#4.4.1)',
          '',
        ],
      ),
    );
    expect(explanation).toMatchObject({
      type: 'delay',
      shape: 'qsbmf',
      recipients: [{ outcome: 'delayed', status: '4.4.1' }],
    });
  });
});

describe('what became of bounces on their way', () => {
  test('QSBMF with blanks at the ends of lines and an empty line lost', async () => {
    const explanation = await explained(
      mail(
        ['From: MAILER-DAEMON@qm.example', 'To: alice@example.org', 'Subject: failure notice'],
        [
          'Hi. This is the qmail-send program at qm.example. ',
          "I'm afraid I wasn't able to deliver your message to the following addresses. ",
          '<bob@example.net>: ',
          'Connected to 192.0.2.9 but my name was rejected. ',
          'Remote host said: 501 5.0.0 Invalid domain name ',
          '<eve@example.net>:',
          'Sorry, no mailbox here by that name. (#5.1.1)',
          ' ',
          '--- Below this line is a copy of the message. ',
          ' ',
          'Return-Path: <alice@example.org>',
          'Message-ID: <a@b>',
        ],
      ),
    );
    expect(explanation).toMatchObject({
      shape: 'qsbmf',
      recipients: [
        { recipient: 'bob@example.net', status: '5.0.0', remote_mta: '192.0.2.9' },
        { recipient: 'eve@example.net', status: '5.1.1', remote_mta: null },
      ],
      original: { message_id: '<a@b>', reverse_path: 'alice@example.org' },
    });
  });

  test.each([
    ['LF', '\n'],
    ['CRLF', '\r\n'],
    ['CR', '\r'],
  ])('line ends made %s: the same explanation', async (_, end) => {
    for (const name of ['postfix-failure-backscatter-multi.eml', 'qmail-failure-expire.eml']) {
      const bytes = fixture(name);
      const other = Buffer.from(bytes.toString('latin1').replace(/\r?\n/g, end), 'latin1');
      expect({ ...(await explained(other)), source: null }).toEqual({
        ...(await explained(bytes)),
        source: null,
      });
    }
  });

  test("Exim's words with the address elsewhere", async () => {
    const { shape, recipients, original } = await explained(
      mail(
        ['From: MAILER-DAEMON@mail.example', 'To: alice@example.org', 'Subject: Mail delivery failed'],
        [
          'This message was created automatically by mail delivery software.',
          '',
          'A message that you sent could not be delivered. The following address failed:',
          '',
          '"bob@example.net":',
          'SMTP error from remote server after RCPT command:',
          '5.2.2 <bob@example.net>... Mailbox Full',
          '',
          '--- The header of the original message is following. ---',
          '',
          'Message-ID:<a@b>',
          'To:<bob@example.net>',
        ],
      ),
    );
    expect(shape).toBe('exim');
    expect(recipients).toMatchObject([
      { recipient: 'bob@example.net', status: '5.2.2', reason: 'mailbox full' },
    ]);
    expect(original?.message_id).toBe('<a@b>');
  });

  test('a mailer daemon with a subject of its own', async () => {
    expect(
      await explained(
        mail(
          ['From: MAILER-DAEMON@mail.example', 'To: alice@example.org', 'Subject: Sorry'],
          ['<bob@example.net>: user does not exist'],
        ),
      ),
    ).toMatchObject({
      type: 'failure',
      shape: 'text',
      certainty: 'likely',
      recipients: [{ reason: 'user unknown' }],
    });
  });
});

describe('a delivery report', () => {
  const dsn = (status: readonly string[]): string =>
    mail(
      [
        'From: MAILER-DAEMON@mx.example.net',
        'To: alice@example.org',
        'Content-Type: multipart/report; report-type=delivery-status; boundary=b',
      ],
      ['--b', '', 'Text', '--b', 'Content-Type: message/delivery-status', '', ...status, '--b--'],
    );

  test('without the blank line between message and recipients', async () => {
    const { recipients, reporter } = await explained(
      dsn([
        'Reporting-MTA: dns;mx.example.net',
        'Final-Recipient: rfc822;bob@example.net',
        'Action: failed',
        'Status: 5.1.1 (bad address)',
        'Final-Recipient: rfc822;eve@example.net',
        'Action: delayed',
        'Status: 4.2.2',
      ]),
    );
    expect(reporter?.host).toBe('mx.example.net');
    expect(recipients.map(({ recipient, outcome, status }) => [recipient, outcome, status])).toEqual([
      ['bob@example.net', 'failed', '5.1.1'],
      ['eve@example.net', 'delayed', '4.2.2'],
    ]);
  });

  test('folded, with comments, with an address in unitext', async () => {
    const { recipients } = await explained(
      dsn([
        'Reporting-MTA: dns; mx.example.net',
        '',
        'Original-Recipient: utf-8; j\\x{FC}rgen@example.net',
        'Final-Recipient: rfc822; <bob@example.net>',
        'Action: relayed (to non-DSN-aware mailer)',
        'Status: 2.1.5',
        'Diagnostic-Code: smtp; 250 2.1.5',
        '  Ok, thank you',
      ]),
    );
    expect(recipients).toMatchObject([
      {
        recipient: 'bob@example.net',
        original_recipient: 'jürgen@example.net',
        outcome: 'relayed',
        diagnostic: '250 2.1.5 Ok, thank you',
        reason: null,
      },
    ]);
  });

  test('that is announced and missing', async () => {
    const explanation = await explained(
      mail(
        [
          'From: alice@example.org',
          'To: bob@example.net',
          'Subject: x',
          'Content-Type: multipart/report; report-type=delivery-status; boundary=b',
        ],
        ['--b', '', 'Text', '--b--'],
      ),
    );
    expect(explanation.type).toBe('other');
    expect(explanation.notes).toEqual([
      'multipart/report without the delivery-status part that it announces',
    ]);
  });
});

describe('not a bounce', () => {
  const type = async (header: readonly string[], body: readonly string[]): Promise<string> =>
    (await explained(mail(header, body))).type;

  test('a letter, even about bounces', async () => {
    expect(
      await type(
        ['From: alice@example.org', 'To: bob@example.net', 'Subject: Undelivered mail'],
        ['My mail could not be delivered: 550 5.1.1 user unknown. What now?'],
      ),
    ).toBe('other');
  });

  test('an automatic reply', async () => {
    expect(
      await type(
        [
          'Return-Path: <>',
          'From: bob@example.net',
          'To: alice@example.org',
          'Subject: Out of office',
          'Auto-Submitted: auto-replied',
        ],
        ['I am away and the mail system will not deliver this.'],
      ),
    ).toBe('auto_reply');
  });

  test('a disposition notification and a complaint', async () => {
    const report = (reportType: string, part: string) =>
      type(
        [
          'From: bob@example.net',
          'To: alice@example.org',
          'Subject: Read',
          `Content-Type: multipart/report; report-type=${reportType}; boundary=b`,
        ],
        [
          '--b',
          '',
          'Text',
          '--b',
          `Content-Type: ${part}`,
          '',
          'Final-Recipient: rfc822;bob@example.net',
          '--b--',
        ],
      );
    expect(await report('disposition-notification', 'message/disposition-notification')).toBe(
      'disposition_notification',
    );
    expect(await report('feedback-report', 'message/feedback-report')).toBe('feedback_report');
  });
});

test('a bounce that somebody forwards as an attachment is found in it', async () => {
  const bounce = fixture('postfix-delay-expire.eml').toString();
  const explanation = await explained(
    mail(
      [
        'From: alice@example.org',
        'To: postmaster@example.org',
        'Subject: What is this?',
        'MIME-Version: 1.0',
        'Content-Type: multipart/mixed; boundary=outer',
      ],
      ['--outer', '', 'I got this:', '--outer', 'Content-Type: message/rfc822', '', bounce, '--outer--'],
    ),
  );
  expect(explanation).toMatchObject({
    attached: true,
    type: 'delay',
    mail: { subject: 'Delayed Mail (still being retried)' },
    original: { queue_id: 'E7D4521A56E' },
  });
});
