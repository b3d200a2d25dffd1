/** `dsnstat recipients`: the built program. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { DAY, plenty, postfixLog, UNKNOWN } from '../recipients/logs.ts';
import { dsnstat, MIXED, output, ROOT, temporaryFolder } from './program.ts';

const { folder, file } = temporaryFolder();
const CORP = ['recipients', '--tz', 'UTC', '--domain', 'corp.test'];

describe('maps', () => {
  test('from enough evidence: the map, and on standard error what it lacks', () => {
    const { status, stdout, stderr } = dsnstat([...CORP, '--format', 'sendmail', '-'], {
      input: postfixLog(plenty()),
    });
    expect(status).toBe(0);
    expect(stdout.trimEnd().split('\n').slice(-7)).toEqual([
      'To:postmaster@corp.test\tRELAY',
      'To:user0@corp.test\tRELAY',
      'To:user1@corp.test\tRELAY',
      'To:user2@corp.test\tRELAY',
      'To:user3@corp.test\tRELAY',
      'To:user4@corp.test\tRELAY',
      'To:corp.test\terror:5.1.1:"550 User unknown"',
    ]);
    expect(stderr).toBe(
      'dsnstat: corp.test: valid addresses without mail from 2026-11-01T12:00:00.000Z to 2026-11-11T09:36:01.000Z are missing; about 0.0 % of the mail to valid addresses goes to one of them (0 of 5 addresses seen once)\n' +
        'dsnstat: corp.test: no refusal in the log: a next hop that takes every recipient proves none valid\n',
    );
  });

  test('from too little: refused with reasons, and the file that was there is still there', () => {
    const path = file('access', 'To:old@corp.test\tRELAY\n');
    const args = [...CORP, '--format', 'sendmail', '-o', path, MIXED];
    const { status, stdout, stderr } = dsnstat(args);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(
      /^dsnstat: corp\.test: too little evidence for a map: .*0\.0 days of log .*--force.*\n$/,
    );
    expect(readFileSync(path, 'utf8')).toBe('To:old@corp.test\tRELAY\n');
    expect(dsnstat([...args, '--force']).status).toBe(0);
    expect(readFileSync(path, 'utf8')).toMatch(/^# corp\.test: too little evidence, written all the same/m);
    expect(readFileSync(path, 'utf8')).toMatch(/^To:alice@corp\.test\tRELAY$/m);
  });

  test('a log that could not be read in full is too little', () => {
    const path = join(folder, 'none');
    const { status, stderr } = dsnstat([...CORP, '--format', 'qmail', '-o', path, '-', '/nonexistent'], {
      input: postfixLog(plenty()),
    });
    expect(status).toBe(2);
    expect(stderr).toContain('not all of the log was read');
    expect(existsSync(path)).toBe(false);
  });

  test('several domains, one of them by --inside; too little for one is too little', () => {
    const input = postfixLog([...plenty(), ...plenty('two.test').slice(0, 5)]);
    const args = [...CORP, '--inside', 'TWO.test', '--inside', '192.0.2.0/24', '--format', 'postfix'];
    const { status, stderr } = dsnstat([...args, '-'], { input });
    expect(status).toBe(2);
    expect(stderr).toMatch(/^dsnstat: two\.test: too little evidence/);
    expect(dsnstat([...args, '--force', '-'], { input }).stdout).toMatch(/^user4@two\.test\tOK$/m);
  });

  test('what is left out is counted and said', () => {
    const odd = ['a b', 'c:d', 'prvs=1=e', 'plus+x'].map((local, i) => ({
      to: `${local}@corp.test`,
      at: i * DAY,
      result: 'sent' as const,
    }));
    const refused = { to: 'user1@corp.test', at: 11 * DAY, result: UNKNOWN };
    const { status, stderr } = dsnstat([...CORP, '--format', 'qmail', '-'], {
      input: postfixLog([...plenty(), ...plenty(), ...odd, refused]),
    });
    expect(status).toBe(0);
    expect(stderr).toMatch(/: 1 both delivered and refused/);
    expect(stderr).toMatch(/: 2 valid left out: characters/);
    expect(stderr).toMatch(/: 1 valid left out: made for one message/);
    expect(stderr).toMatch(/: 1 with a plus sign are listed as they are.*--delimiter \+/);
    expect(stderr).not.toContain('no refusal');
  });

  test.each([
    [['recipients', MIXED], /needs --domain/],
    [['recipients', '--domain', 'not a domain', MIXED], /is not a domain/],
    [[...CORP, '--format', 'postfix', '--anonymise', MIXED], /--anonymise is for csv and json/],
    [[...CORP, '--delimiter', 'x', MIXED], /cannot begin an extension/],
    [['chains', '--domain', 'corp.test', MIXED], /only for dsnstat recipients/],
  ])('%j is wrong', (args, message) => {
    const { status, stdout, stderr } = dsnstat(args);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(message);
  });
});

describe('csv and json', () => {
  test('json: as the schema says, sums agree', () => {
    const ajv = new Ajv2020({ allErrors: true, strict: true, strictRequired: false, allowUnionTypes: true });
    const validate = ajv.compile(
      JSON.parse(readFileSync(join(ROOT, 'docs/recipients-v1.schema.json'), 'utf8')),
    );
    const list = JSON.parse(output([...CORP, '--domain', 'partner.example.net', '--format', 'json', MIXED]));
    expect(validate(list) ? [] : validate.errors).toEqual([]);
    for (const domain of list.domains) {
      const own = list.recipients.filter((r: { domain: string }) => r.domain === domain.domain);
      expect(domain.valid + domain.invalid + domain.unknown).toBe(own.length);
      expect(own.length).toBeGreaterThan(0);
      for (const key of ['deliveries', 'refusals'] as const)
        expect(own.reduce((sum: number, r: Record<typeof key, number>) => sum + r[key], 0)).toBe(domain[key]);
    }
  });

  test('csv: the same rows; a cell that a spreadsheet would run does not', () => {
    const input = postfixLog([{ to: '=cmd|x@corp.test', at: 0, result: UNKNOWN }]);
    expect(output([...CORP, '-'], { input })).toBe(
      'address,domain,state,deliveries,refusals,undecided,first_seen,last_delivered,last_refused,status,relay,reply,unfit\r\n' +
        '"\'=cmd|x@corp.test",corp.test,invalid,0,1,0,2026-11-01T12:00:01.000Z,,2026-11-01T12:00:01.000Z,5.1.1,store[192.0.2.9]:25,550 5.1.1 User unknown,characters\r\n',
    );
  });

  test('--since and --until', () => {
    const input = postfixLog(plenty());
    const list = JSON.parse(
      output([...CORP, '--format', 'json', '--since', '2026-11-03', '--until', '2026-11-04', '-'], { input }),
    );
    expect(list.domains[0].deliveries).toBe(10);
    expect(list.period.from >= '2026-11-03' && list.period.to < '2026-11-04').toBe(true);
  });

  test('--anonymise leaves nobody', () => {
    const text = output([...CORP, '--anonymise', MIXED]);
    expect(text).not.toMatch(/corp\.test|alice|example\.net/);
  });
});
