/** DSNs that real MTAs made, against what was known of them before. */
import { describe, expect, test } from 'vitest';
import type { ExplainedOriginal } from '../../src/explain/explanation.ts';
import { explained, fixture, TRUTH } from './mails.ts';

/** Under which ids the original was known: that of what was bounced first, and of the bounces after it. */
function idsOf(original: ExplainedOriginal | null): string[] {
  if (original === null) return [];
  return [String(original.queue_id ?? original.qp), ...idsOf(original.original)];
}

describe('mails of Postfix, qmail and sendmail', () => {
  test.each(TRUTH.map((truth) => [truth.file, truth] as const))('%s', async (file, truth) => {
    const explanation = await explained(fixture(file));
    expect(explanation.type).toBe(truth.kind.replace('-', '_'));
    expect(explanation.postmaster_copy).toBe(truth.postmaster_copy);
    expect(explanation.reporter?.mta).toBe(truth.mta);
    expect(String(explanation.reporter?.queue_id ?? explanation.reporter?.qp)).toBe(truth.dsn_queue_id);
    expect(explanation.mail.subject).toBe(truth.subject);
    if (truth.original_queue_id !== null)
      expect(idsOf(explanation.original).at(-1)).toBe(truth.original_queue_id);
    if (truth.actions !== null && truth.actions.length > 0) {
      const outcomes = explanation.recipients.map(({ outcome }) =>
        outcome === 'expired' ? 'failed' : outcome,
      );
      expect([...new Set(outcomes)].sort()).toEqual(truth.actions);
    }
    expect(explanation.notes).toEqual([]);
  });

  test('a failure of Postfix, in full', async () => {
    const explanation = await explained(fixture('postfix-failure-backscatter-multi.eml'));
    expect(explanation).toMatchObject({
      schema_version: 1,
      kind: 'explanation',
      shape: 'rfc3464',
      certainty: 'certain',
      attached: false,
      mail: { message_id: '<20261121014615.1C80721A594@mx1.corp.test>', to: 'lars_hoff510@bank.invalid' },
      reporter: { mta: 'postfix', host: 'mx1.corp.test', at: '2026-11-21T01:46:15.000Z' },
      recipients_left_out: 0,
      log: null,
    });
    expect(explanation.recipients).toEqual([
      {
        recipient: 'erin_dent@staff.corp.test',
        original_recipient: 'erin_dent@staff.corp.test',
        outcome: 'failed',
        status: '5.1.1',
        reason: 'user unknown',
        remote_mta: 'store.int.corp.test',
        diagnostic: '550 5.1.1 <erin_dent@staff.corp.test>... User unknown',
        last_attempt: null,
        will_retry_until: null,
      },
      expect.objectContaining({ recipient: 'waltowen4732@staff.corp.test', reason: 'user unknown' }),
    ]);
    expect(explanation.original).toMatchObject({
      message_id: '<20261121014615.cf7a767f@198.51.100.177>',
      reverse_path: 'lars_hoff510@bank.invalid',
      queue_id: '1A2FE21A582',
      arrived_at: '2026-11-21T01:46:15.000Z',
      client_ip: '198.51.100.177',
      returned: 'message',
      original: null,
    });
  });

  test('a double bounce of qmail leads to the message that was bounced first', async () => {
    const { type, original, recipients } = await explained(fixture('qmail-double-bounce-double-bounce.eml'));
    expect(type).toBe('double_bounce');
    expect(original).toMatchObject({ reverse_path: '', qp: 284 });
    expect(original?.original).toMatchObject({
      reverse_path: 'waltking7075@nonull.example.org',
      qp: 272,
      client_ip: '198.51.100.152',
      message_id: '<20261121021417.545af5ed@ppp152.dialup.invalid>',
    });
    expect(recipients).toMatchObject([
      { recipient: 'waltking7075@nonull.example.org', reason: 'sender refused', remote_mta: '203.0.113.50' },
    ]);
  });

  test('a full mailbox that stayed full: expired, and the reason is the mailbox', async () => {
    const { recipients } = await explained(fixture('qmail-failure-expire.eml'));
    expect(recipients).toMatchObject([{ outcome: 'expired', status: '4.2.1', reason: 'refused for now' }]);
  });

  test("sendmail's receipt for an alias names its recipients in the transcript only", async () => {
    const { type, recipients } = await explained(fixture('sendmail-success-success-local.eml'));
    expect(type).toBe('success');
    expect(recipients).toMatchObject([
      { recipient: 'fritz@acme.test', outcome: 'expanded' },
      { recipient: 'fritz', outcome: 'delivered' },
    ]);
  });

  test('sendmail says in the transcript what no server replied', async () => {
    const { recipients } = await explained(fixture('sendmail-delay-expire-dead.eml'));
    expect(recipients).toMatchObject([
      {
        outcome: 'delayed',
        status: '4.4.1',
        reason: 'connection trouble',
        will_retry_until: '2026-11-21T01:58:01.000Z',
      },
    ]);
    expect(recipients[0].diagnostic).toContain('Connection refused by mx.down.example.net');
  });
});
