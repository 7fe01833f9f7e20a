/** Salesforce's errors in each of their shapes, and what the table makes of them. */
import { expect, test } from 'vitest';
import { failureOf, readRowErrors, readVendorError } from '../src/errors/classify.ts';
import { ERROR_TABLE } from '../src/errors/error-table.ts';

const of = (status: number, body: unknown) => failureOf(readVendorError(status, body), { doing: 'write' });
const row = (...errors: object[]) => failureOf(readRowErrors(200, { success: false, errors }), { doing: 'write' });
const list = (errorCode: string, message = 'said', fields?: string[]) => [
  { errorCode, message, ...(fields && { fields }) },
];

test.each([
  [401, list('INVALID_SESSION_ID'), 'unauthorized', 'reauthenticate'],
  [401, list('INVALID_AUTH_HEADER'), 'unauthorized', 'reauthenticate'],
  [400, { error: 'invalid_grant', error_description: 'token request is already being processed' }, 'busy', 'throttle'],
  [400, { error: 'invalid_grant', error_description: 'expired authorization code' }, 'busy', 'throttle'],
  [
    400,
    { error: 'invalid_grant', error_description: "user hasn't approved this consumer" },
    'unauthorized',
    'reauthenticate',
  ],
  [400, { error: 'invalid_client_id', error_description: 'x' }, 'unauthorized', 'reauthenticate'],
  [403, list('REQUEST_LIMIT_EXCEEDED', 'TotalRequests Limit exceeded.'), 'daily_limit', 'throttle'],
  [403, list('REQUEST_LIMIT_EXCEEDED', 'ConcurrentPerOrgLongTxn Limit exceeded.'), 'throttled', 'throttle'],
  [403, list('API_DISABLED_FOR_ORG'), 'missing_scope', 'reauthenticate'],
  [403, list('STORAGE_LIMIT_EXCEEDED'), 'daily_limit', 'throttle'],
  [503, list('SERVER_UNAVAILABLE'), 'unavailable', 'retry'],
  [500, list('UNKNOWN_EXCEPTION'), 'unavailable', 'retry'],
  [502, '<html><body>Bad Gateway</body></html>', 'unavailable', 'retry'],
  [420, '', 'unavailable', 'retry'],
  [414, '<html>', 'bad_request', 'die'],
  [431, '', 'bad_request', 'die'],
  [410, list('UNSUPPORTED_API_VERSION'), 'refused', 'reauthenticate'],
  [400, list('QUERY_TIMEOUT'), 'timeout', 'retry'],
  [400, list('MALFORMED_QUERY'), 'bad_request', 'die'],
  [400, list('EXCEEDED_ID_LIMIT'), 'bad_request', 'die'],
  [404, list('NOT_FOUND'), 'refused', 'park'],
  [300, ['/services/data/v66.0/sobjects/Task/00T1'], 'refused', 'park'],
  [403, list('TXN_SECURITY_METERING_ERROR'), 'refused', 'park'],
  [403, list('INSUFFICIENT_ACCESS_OR_READONLY'), 'refused', 'park'],
  [418, { strange: true }, 'refused', 'park'],
])('%i %j is %s, %s', (status, body, code, next) => {
  expect(of(status, body)).toMatchObject({ code, next });
});

test.each([
  ['UNABLE_TO_LOCK_ROW', 'locked', 'throttle', true],
  ['DUPLICATE_VALUE', 'conflict', 'retry', false],
  ['CANNOT_UPDATE_CONVERTED_LEAD', 'gone', 'retry', false],
  ['ENTITY_IS_DELETED', 'gone', 'retry', false],
  ['INVALID_CROSS_REFERENCE_KEY', 'gone', 'retry', false],
  ['REQUIRED_FIELD_MISSING', 'invalid_field', 'park', false],
  ['FIELD_CUSTOM_VALIDATION_EXCEPTION', 'invalid_field', 'park', false],
  ['INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST', 'invalid_field', 'park', false],
  ['INVALID_EMAIL_ADDRESS', 'invalid_field', 'park', false],
  ['SOMETHING_NEW', 'refused', 'park', false],
])('a row that says %s is %s, %s', (statusCode, code, next, split_and_retry) => {
  const failure = row({ statusCode, message: 'said', fields: ['Phone'] });
  expect(failure).toMatchObject({ code, next, split_and_retry, details: { vendor_code: statusCode, field: 'Phone' } });
});

test.each([
  ['OnTask: execution of AfterInsert caused by: System.LimitException: Apex CPU time limit exceeded', 'refused', true],
  ['OnTask: System.LimitException: Too many SOQL queries: 101', 'refused', true],
  ['UNABLE_TO_LOCK_ROW, unable to obtain exclusive access', 'locked', true],
  ['OnTask: data changed by trigger', 'refused', false],
])('the org’s automation says: %s', (message, code, split_and_retry) => {
  expect(row({ statusCode: 'CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY', message, fields: [] })).toMatchObject({
    code,
    split_and_retry,
  });
});

test('a nested object without its type names no field', () => {
  const message = 'Nested object for polymorphic foreign key must have an attributes field before any other fields.';
  expect(row({ statusCode: 'JSON_PARSER_ERROR', message, fields: [] }).fields).toEqual([]);
});

test('only refusals of a field let the rest be written without it', () => {
  expect(
    row({ statusCode: 'STRING_TOO_LONG', message: 'Subject: data value too large: … (max length=255)', fields: [] })
      .fields,
  ).toEqual(['Subject']);
  expect(of(400, list('INVALID_FIELD', "No such column 'Nope__c' on sobject of type Task")).fields).toEqual([
    'Nope__c',
  ]);
  const blocked = 'Unable to create/update fields: A__c, B__c. Please check the security settings of this field';
  expect(row({ statusCode: 'INVALID_FIELD_FOR_INSERT_UPDATE', message: blocked, fields: [] }).fields).toEqual([
    'A__c',
    'B__c',
  ]);
  expect(
    row({ statusCode: 'INACTIVE_OWNER_OR_USER', message: 'operation performed with inactive user', fields: [] }).fields,
  ).toEqual(['OwnerId']);
  expect(row({ statusCode: 'FIELD_CUSTOM_VALIDATION_EXCEPTION', message: 'x', fields: ['Phone'] }).fields).toEqual([]);
  expect(
    row({
      statusCode: 'REQUIRED_FIELD_MISSING',
      message: 'Required fields are missing: [Company]',
      fields: ['Company'],
    }).fields,
  ).toEqual([]);
});

test('who holds a value is read from the words', () => {
  const message = 'duplicate value found: Wrapup_Key__c duplicates value on record with id: 00QAb000001CdEfGHI';
  expect(row({ statusCode: 'DUPLICATE_VALUE', message, fields: [] }).vendor?.holder).toBe('00QAb000001CdEfGHI');
  expect(
    row({ statusCode: 'DUPLICATE_VALUE', message: 'with id: <unknown>', fields: [] }).vendor?.holder,
  ).toBeUndefined();
});

const duplicates = (Id: string, entityType: string) => ({
  matchResults: [{ entityType, matchRecords: [{ record: { attributes: { type: entityType }, Id } }] }],
});

test.each(['duplicateResut', 'duplicateResult'])('the records that a duplicate rule names are read from %s', (name) => {
  const found = [{ object: 'Contact', id: '003000000000001AAA' }];
  const result = { [name]: duplicates('003000000000001AAA', 'Contact') };
  expect(of(400, [{ errorCode: 'DUPLICATES_DETECTED', message: 'x', ...result }]).vendor?.matches).toEqual(found);
  expect(row({ statusCode: 'DUPLICATES_DETECTED', message: 'x', fields: [], ...result }).vendor?.matches).toEqual(
    found,
  );
});

test('what only follows from another error is led back to it', () => {
  const halted = { errorCode: 'PROCESSING_HALTED', message: 'The transaction was rolled back' };
  expect(of(400, [halted, { errorCode: 'STRING_TOO_LONG', message: 'x', fields: ['Title'] }])).toMatchObject({
    code: 'invalid_field',
    fields: ['Title'],
  });
  expect(of(400, [halted])).toMatchObject({ code: 'unavailable', next: 'retry' });
});

test('nothing that was sent, and no page, is quoted', () => {
  const error = readVendorError(
    400,
    list('INVALID_EMAIL_ADDRESS', 'Email: invalid email address: dana@x of Dana Example'),
  );
  const { message } = failureOf(error, { doing: 'create Lead', sent: ['dana@x', 'Dana Example', null, undefined] });
  expect(message).not.toMatch(/dana|Dana/);
  expect(message).toContain('Salesforce: “Email: invalid email address: … of …”');
  expect(of(502, '<html><body>inner host</body></html>').message).not.toContain('inner host');
});

test('whatever comes is read without a mistake, and every row of the table can be reached', () => {
  for (const body of [null, undefined, 17, 'x', [], [null], {}, [{ fields: 'x' }], { errors: [] }])
    expect(of(400, body).code).toBe('refused');
  const codes = ERROR_TABLE.flatMap(({ code }) => (typeof code === 'string' ? [code] : []));
  for (const code of new Set(codes)) expect(of(400, list(code)).code).not.toBe('unaccounted');
});
