import { expect, test } from 'vitest';
import { failureOf, readVendorError } from '../src/errors/classify.ts';

function classify(status: number, body: unknown, retry_after?: string, sent: string[] = []) {
  return failureOf(readVendorError(status, body), { doing: 'create calls', retry_after, sent });
}

const error = (category: string, more: object = {}) => ({
  status: 'error',
  message: 'no',
  correlationId: '5b1d',
  category,
  ...more,
});
const detail = (code: string, propertyName?: string) => ({
  errors: [{ message: 'no', code, context: propertyName ? { propertyName: [propertyName] } : {} }],
});

/** Details as answers of 2022 and 2025 have them: in the message alone. */
function inMessage(message: string, code: string, name: string) {
  const details = JSON.stringify([{ isValid: false, message, error: code, name }]);
  return error('VALIDATION_ERROR', { message: `Property values were not valid: ${details}` });
}

test.each([
  [401, error('INVALID_AUTHENTICATION'), 'unauthorized', 'reauthenticate'],
  [401, error('EXPIRED_AUTHENTICATION'), 'unauthorized', 'reauthenticate'],
  [403, error('MISSING_SCOPES'), 'missing_scope', 'reauthenticate'],
  [429, { errorType: 'RATE_LIMIT', policyName: 'DAILY' }, 'daily_limit', 'throttle'],
  [429, { message: 'You have reached your daily limit.' }, 'daily_limit', 'throttle'],
  [429, { errorType: 'RATE_LIMIT', policyName: 'TEN_SECONDLY_ROLLING' }, 'throttled', 'throttle'],
  [429, { message: 'You have reached your secondly limit.' }, 'throttled', 'throttle'],
  [429, 'Too many', 'throttled', 'throttle'],
  [423, error('LOCKED'), 'locked', 'throttle'],
  [477, error('MIGRATION_IN_PROGRESS'), 'locked', 'throttle'],
  [408, '', 'timeout', 'retry'],
  [500, error('UNKNOWN'), 'unavailable', 'retry'],
  [502, '<html>', 'unavailable', 'retry'],
  [500, error('RATE_LIMITS', { message: 'You have reached your secondly limit.' }), 'throttled', 'throttle'],
  [523, '<html>', 'unavailable', 'retry'],
  [525, '<html>', 'unavailable', 'retry'],
  [400, error('VALIDATION_ERROR', detail('PROPERTY_DOESNT_EXIST', 'x')), 'missing_property', 'park'],
  [400, error('VALIDATION_ERROR', detail('INVALID_OPTION', 'x')), 'invalid_field', 'park'],
  [400, error('VALIDATION_ERROR', detail('INVALID_EMAIL', 'email')), 'invalid_field', 'park'],
  [400, error('VALIDATION_ERROR', detail('READ_ONLY_VALUE', 'x')), 'invalid_field', 'park'],
  [400, error('VALIDATION_ERROR', detail('VALUE_TOO_LONG', 'x')), 'invalid_field', 'park'],
  [400, error('VALIDATION_ERROR', detail('MISSING_REQUIRED_PROPERTY', 'x')), 'invalid_field', 'park'],
  [400, error('VALIDATION_ERROR', detail('MISSING_CONDITIONAL_REQUIRED_PROPERTY')), 'invalid_field', 'park'],
  [400, error('VALIDATION_ERROR'), 'refused', 'park'],
  [400, { message: 'Duplicate IDs found in batch input: [1]. IDs must be unique' }, 'bad_request', 'die'],
  [400, { message: 'Invalid input JSON on line 1, column 2' }, 'bad_request', 'die'],
  [404, error('OBJECT_NOT_FOUND'), 'gone', 'retry'],
  [400, error('VALIDATION_ERROR', { message: 'CONTACT=1234 is not valid' }), 'gone', 'retry'],
  [400, inMessage('Owner with ID 12 does not exist', 'INVALID_OWNER_ID', 'hubspot_owner_id'), 'invalid_field', 'park'],
  [400, inMessage('Property "x" does not exist', 'PROPERTY_DOESNT_EXIST', 'x'), 'missing_property', 'park'],
  [400, { message: 'Property "x" does not exist' }, 'missing_property', 'park'],
  [404, '<html>', 'refused', 'park'],
  [409, error('CONFLICT', { message: 'Contact already exists. Existing ID: 17' }), 'conflict', 'retry'],
  [409, error('OBJECT_ALREADY_EXISTS'), 'conflict', 'retry'],
  [414, '', 'refused', 'park'],
  [599, undefined, 'unavailable', 'retry'],
] as const)('%i %j is %s, next %s', (status, body, code, next) => {
  const failure = classify(status, body);
  expect([failure.code, failure.next, failure.details.status]).toEqual([code, next, status]);
});

test('a refused value that only the message names can be left out', () => {
  const failure = classify(400, inMessage('Owner with ID 12 does not exist', 'INVALID_OWNER_ID', 'hubspot_owner_id'));
  expect(failure.fields).toEqual(['hubspot_owner_id']);
});

test('a link to a record that is gone names its id', () => {
  const { vendor } = classify(400, error('VALIDATION_ERROR', { message: 'CONTACT=1234 is not valid' }));
  expect(vendor?.ids).toEqual(['1234']);
});

test('the owner of a unique value is read from its own place before the words', () => {
  const row = { category: 'CONFLICT', message: 'Contact already exists.', context: { existingId: ['171'] } };
  expect(classify(409, row).vendor?.owner).toBe('171');
});

test('the owner of a unique value is read from either wording', () => {
  expect(classify(409, { message: 'Contact already exists. Existing ID: 17' }).vendor?.owner).toBe('17');
  const coordinates =
    'PropertyValueCoordinates{portalId=1, objectTypeId=0-48, propertyName=wrapup_call_id, value=main:x}';
  const failure = classify(400, { message: `Cannot set ${coordinates} on 18. 17 already has that value.` });
  expect([failure.code, failure.vendor?.owner]).toEqual(['conflict', '17']);
  expect(failure.message).not.toContain('main:x');
});

test('details are read in both shapes', () => {
  const inside = JSON.stringify([
    { isValid: false, message: 'Property "x" does not exist', error: 'PROPERTY_DOESNT_EXIST', name: 'x' },
    { isValid: false, message: 'Property "y" does not exist', error: 'PROPERTY_DOESNT_EXIST', name: 'y' },
  ]);
  const old = classify(400, { message: `Property values were not valid: ${inside}` });
  expect([old.code, old.fields]).toEqual(['missing_property', ['x', 'y']]);
  const current = classify(400, {
    message: 'no',
    errors: ['x', 'y'].map((name) => ({ code: 'PROPERTY_DOESNT_EXIST', context: { propertyName: [name] } })),
  });
  expect([current.code, current.fields]).toEqual(['missing_property', ['x', 'y']]);
});

test.each([
  [429, { policyName: 'TEN_SECONDLY_ROLLING' }, undefined, 10_000],
  [429, { policyName: 'TEN_SECONDLY_ROLLING' }, '3600', 60_000],
  [429, { message: 'You have reached your secondly limit.' }, undefined, 1_000],
  [429, { policyName: 'DAILY' }, undefined, 3_600_000],
  [423, {}, undefined, 2_000],
  [423, {}, '0', 2_000],
  [477, {}, '7200', 7_200_000],
  [477, {}, '999999', 86_400_000],
  [477, {}, 'soon', 60_000],
  [503, {}, '5', 5_000],
  [503, {}, undefined, undefined],
])('status %i %j with Retry-After %s waits %s ms', (status, body, header, wait) => {
  expect(classify(status, body, header).details.retry_after).toBe(wait);
});

test('the correlation id, the vendor’s code and the missing scope are kept', () => {
  const failure = classify(
    403,
    error('MISSING_SCOPES', {
      errors: [{ message: 'x', context: { requiredGranularScopes: ['crm.objects.contacts.write'] } }],
    }),
  );
  expect(failure.details).toMatchObject({
    correlation_id: '5b1d',
    vendor_code: 'MISSING_SCOPES',
    hint: expect.stringContaining('crm.objects.contacts.write'),
  });
});

test('the options that a property allows are in the hint', () => {
  const failure = classify(400, {
    errors: [
      {
        code: 'INVALID_OPTION',
        message: 'MAYBE was not one of the allowed options: [OPEN, CLOSED]',
        context: { propertyName: ['hs_lead_status'] },
      },
    ],
  });
  expect(failure.hint).toContain('[OPEN, CLOSED]');
});

test('what was sent is not quoted back', () => {
  const failure = classify(
    400,
    { message: 'Wilhelmina (wilhelmina@example.com, +1 415 555 0142) is not welcome' },
    undefined,
    ['Wilhelmina'],
  );
  expect(failure.message).toContain('is not welcome');
  expect(failure.message).not.toMatch(/Wilhelmina|example\.com|555/i);
});

test.each([undefined, null, 7, [], 'text', { errors: 'none' }, { errors: [null, 7] }, { context: [] }])(
  'a body of %j is no reason to throw',
  (body) => {
    expect(classify(400, body).code).toBe('refused');
  },
);
