/** What a recording holds of an exchange, and above all what it does not. */
import { ExchangeRecorder } from '@wrapup/destination/recorder';
import fc from 'fast-check';
import { expect, test } from 'vitest';

type Exchange = Parameters<ExchangeRecorder['observe']>[0];

function record(...exchanges: Exchange[]): { text: string; lines: Record<string, never>[] } {
  const recorder = new ExchangeRecorder('hubspot');
  for (const exchange of exchanges) recorder.observe(exchange);
  const text = recorder.lines().join('\n');
  return { text, lines: recorder.lines().map((line) => JSON.parse(line)) };
}

function exchangeOf(path: string, sent: unknown, answered: unknown, status = 200): Exchange {
  return {
    request: {
      method: sent === undefined ? 'GET' : 'POST',
      url: `https://api.hubapi.com${path}`,
      ...(sent !== undefined && { body: JSON.stringify(sent) }),
    },
    answer: { status, headers: { 'content-type': 'application/json' }, text: JSON.stringify(answered) },
  };
}

const word = fc.stringMatching(/^[A-Z][a-z]{4,9}$/);
const secret = fc.oneof(
  word,
  fc.tuple(word, word).map((names) => names.join(' ')),
  fc.tuple(word, word).map(([name, host]) => `${name.toLowerCase()}@${host.toLowerCase()}.example`),
  fc.integer({ min: 2_000_000_000, max: 9_999_999_999 }).map((n) => `+1${n}`),
  fc
    .integer({ min: 2_000_000_000, max: 9_999_999_999 })
    .map((n) => `(${`${n}`.slice(0, 3)}) ${`${n}`.slice(3, 6)}-${`${n}`.slice(6)}`),
  fc.tuple(fc.integer({ min: 10, max: 999 }), word).map(([number, street]) => `${number} ${street} Street`),
);

test('no name, address or number comes through, wherever it was sent or answered', () => {
  const members = ['firstname', 'Name', 'status', 'type', 'Email', 'hs_call_body', 'label', 'description', 'company'];
  fc.assert(
    fc.property(fc.uniqueArray(secret, { minLength: 4, maxLength: 8 }), fc.nat(), (secrets, seed) => {
      const one = (n: number) => secrets[(seed + n) % secrets.length] as string;
      // Members of a record may have any name, also one that is the vendor's own elsewhere.
      const properties = Object.fromEntries(members.map((name, n) => [name, one(n)]));
      const { text } = record(
        exchangeOf(
          `/crm/v3/objects/contacts/${encodeURIComponent(one(0))}?idProperty=email&email=${encodeURIComponent(one(1))}`,
          {
            inputs: [{ id: one(2), properties, note: [one(3)], [`${one(4)} (work)`]: 1 }],
            filters: [{ value: one(0), values: secrets }],
          },
          {
            results: [{ id: one(1), properties: { ...properties, nested: { type: one(2) } } }],
            Name: one(3),
            owner: { firstName: one(4), email: one(5) },
            message: `Email address ${one(0)} is invalid, and so are "${one(1)}" and ${one(2)}.`,
            errors: [
              {
                message: `Property values were not valid: [${JSON.stringify({ error: 'INVALID_EMAIL', message: `${one(3)} was not one` })}]`,
              },
            ],
          },
        ),
        exchangeOf(
          `/services/data/v66.0/query?q=${encodeURIComponent(`SELECT Id FROM Lead WHERE Name = '${one(0)}' OR Phone = '${one(1)}'`)}`,
          undefined,
          { records: secrets.map((Name) => ({ Name, Street__c: Name })) },
        ),
        exchangeOf(
          `/services/data/v66.0/search?q=${encodeURIComponent(`FIND {${one(2)}} IN PHONE FIELDS`)}`,
          undefined,
          [one(3)],
        ),
        exchangeOf(
          `/services/data/v66.0/sobjects/Lead/Wrapup_Key__c/${encodeURIComponent(one(4))}`,
          { Company: one(5) },
          `<p>${one(4)}</p>`,
        ),
      );
      for (const value of secrets) {
        expect(text).not.toContain(value);
        expect(decodeURIComponent(text.replaceAll('%', '%25'))).not.toContain(encodeURIComponent(value));
      }
    }),
    { numRuns: 300 },
  );
});

test('a name that only the account knew does not come through in its messages either', () => {
  const { text } = record(
    exchangeOf('/services/data/v66.0/query?q=SELECT', undefined, { records: [{ LastName: 'Lovelace' }] }),
    exchangeOf('/crm/v3/owners', undefined, { results: [{ id: '1', firstName: 'Ada' }] }),
    exchangeOf('/crm/v3/objects/contacts', {}, { message: 'Owned by Ada; see Lovelace.', status: 'error' }, 400),
  );
  expect(text).not.toMatch(/Ada|Lovelace/);
  expect(text).toContain('Owned by text');
});

test('ids in a sentence stay apart', () => {
  const message = 'Cannot set it on 70000000101. 70000000102 already has that value.';
  const { lines } = record(exchangeOf('/crm/v3/objects/calls', {}, { status: 'error', message }, 400));
  expect(lines[0]).toMatchObject({
    response: { body: { message: 'Cannot set it on 90000000001. 90000000002 already has that value.' } },
  });
});

test('tokens and what is sent for them do not come through', () => {
  const form = 'grant_type=refresh_token&client_secret=verySecret1&refresh_token=verySecret2';
  const { text } = record(
    {
      request: { method: 'POST', url: 'https://api.hubapi.com/oauth/v1/token?client_id=verySecret3', body: form },
      answer: {
        status: 200,
        headers: { 'set-cookie': 'verySecret4', 'www-authenticate': 'Bearer realm="verySecret5"' },
        text: JSON.stringify({ access_token: 'verySecret6', refresh_token: 'verySecret7', signature: 'verySecret8' }),
      },
    },
    exchangeOf('/crm/v3/objects/contacts?hapikey=verySecret9', undefined, { token: 'verySecret0' }),
  );
  expect(text).not.toContain('verySecret');
  expect(text).toContain('REMOVED');
});

test('what the vendor says of itself stays, so that it can be compared', () => {
  const error = {
    status: 'error',
    category: 'CONFLICT',
    message: 'Contact already exists. Existing ID: 171591000198',
    context: { objectWriteTraceId: ['0'], existingId: ['171591000198'] },
  };
  const { lines } = record(
    exchangeOf(
      '/crm/v3/objects/contacts/batch/create?archived=false',
      { inputs: [{ properties: { email: 'ada@engines.example', createdate: '2026-01-02T03:04:05Z' } }] },
      {
        status: 'COMPLETE',
        results: [{ id: '171591000198', archived: false, properties: { email: 'Ada@engines.example' } }],
        numErrors: 1,
        errors: [error],
      },
      207,
    ),
  );
  expect(lines).toEqual([
    {
      id: 'hubspot-0001',
      vendor: 'hubspot',
      api: 'POST /crm/v3/objects/contacts/batch/create',
      year: new Date().getUTCFullYear(),
      trust: 'recorded',
      request: {
        method: 'POST',
        path: '/crm/v3/objects/contacts/batch/create',
        query: { archived: 'false' },
        body: { inputs: [{ properties: { email: 'person1@example.com', createdate: '2026-01-02T03:04:05Z' } }] },
      },
      response: {
        status: 207,
        headers: { 'content-type': 'application/json' },
        body: {
          status: 'COMPLETE',
          results: [{ id: '900000000001', archived: false, properties: { email: 'person1@example.com' } }],
          numErrors: 1,
          errors: [
            {
              status: 'error',
              category: 'CONFLICT',
              message: 'Contact already exists. Existing ID: 900000000001',
              context: { objectWriteTraceId: ['0'], existingId: ['900000000001'] },
            },
          ],
        },
      },
    },
  ]);
});

test.each([
  ['/crm/v3/objects/contacts/171591000198', 'GET /crm/v3/objects/contacts/{id}'],
  ['/crm/objects/2026-09/2-3604285/859979604', 'GET /crm/objects/{date}/2-3604285/{id}'],
  ['/crm/v3/objects/contacts/ada%40engines.example', 'GET /crm/v3/objects/contacts/{id}'],
  ['/services/data/v66.0/sobjects/Lead/00Q4S000002sSacUAE', 'GET /services/data/v{version}/sobjects/Lead/{id}'],
  [
    '/services/data/v66.0/sobjects/Lead/Wrapup_Key__c/Ada',
    'GET /services/data/v{version}/sobjects/Lead/Wrapup_Key__c/{id}',
  ],
])('%s is %s', (path, api) => {
  expect(record(exchangeOf(path, undefined, null)).lines[0]).toMatchObject({ api });
});
