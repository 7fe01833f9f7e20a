/** Rate limits: windows, what headers say of them, and what a client hears that goes beyond. */
import { expect, test } from 'vitest';
import { clientOf, sandboxForFile, send, TOKEN, until } from '../support/sandbox.ts';

const sandbox = await sandboxForFile();

const limits = (change: object) => sandbox.control.settings({ hubspot: { limits: change } });
const details = (token = TOKEN) => send(sandbox, 'GET', '/account-info/2026-09/details', undefined, { token });
const search = () => send(sandbox, 'POST', '/crm/v3/objects/contacts/search', {});

test('headers tell what is left of both windows', async () => {
  const { headers } = await details();
  expect(headers.get('x-hubspot-ratelimit-max')).toBe('190');
  expect(headers.get('x-hubspot-ratelimit-remaining')).toBe('189');
  expect(headers.get('x-hubspot-ratelimit-interval-milliseconds')).toBe('10000');
  expect(headers.get('x-hubspot-ratelimit-daily')).toBe('625000');
  expect(headers.get('x-hubspot-ratelimit-daily-remaining')).toBe('624999');
  expect((await details()).headers.get('x-hubspot-ratelimit-remaining')).toBe('188');
});

test('refused requests count too, and tell the headers', async () => {
  const { status, headers } = await send(sandbox, 'GET', '/crm/v3/objects/contacts/1');
  expect([status, headers.get('x-hubspot-ratelimit-remaining')]).toEqual([404, '189']);
});

test('beyond the ten-second window of a token its requests are turned away', async () => {
  limits({ ten_secondly: 2 });
  await details();
  await details();
  const { status, body, headers } = await details();
  expect(status).toBe(429);
  expect(body).toMatchObject({
    status: 'error',
    errorType: 'RATE_LIMIT',
    policyName: 'TEN_SECONDLY_ROLLING',
    correlationId: expect.any(String),
  });
  expect(body).not.toHaveProperty('category');
  expect(headers.get('x-hubspot-ratelimit-remaining')).toBe('0');
  expect((await details('pat-another')).status).toBe(200);
});

test('beyond the daily limit the account is closed to every token', async () => {
  limits({ daily: 1 });
  await details();
  const { status, body } = await details('pat-another');
  expect([status, body.policyName, body.message]).toEqual([429, 'DAILY', 'You have reached your daily limit.']);
});

test('searches have a window of their own and say nothing of it', async () => {
  limits({ ten_secondly: 3 });
  const { headers } = await search();
  expect([...headers.keys()].filter((name) => name.includes('ratelimit'))).toEqual([
    'x-hubspot-ratelimit-daily',
    'x-hubspot-ratelimit-daily-remaining',
  ]);
  limits({ search_per_second: 0 });
  const refused = await search();
  expect(refused).toMatchObject({
    status: 429,
    body: { message: 'You have reached your secondly limit.', category: 'RATE_LIMITS' },
  });
  expect(refused.body).not.toHaveProperty('policyName');
  sandbox.control.settings({ hubspot: { forms: 2025 } });
  expect((await search()).status).toBe(500);
  expect((await details()).headers.get('x-hubspot-ratelimit-remaining')).toBe('2');
});

test('a second later a search is let through again', async () => {
  limits({ search_per_second: 1 });
  const began = performance.now();
  expect((await search()).status).toBe(200);
  const passed = await until(search, ({ status }) => status === 200);
  expect([passed.status, performance.now() - began >= 1_000]).toEqual([200, true]);
});

test('without a limit nothing is counted off', async () => {
  limits({ ten_secondly: null, daily: null, search_per_second: null });
  const { headers } = await details();
  expect([...headers.keys()].filter((name) => name.includes('ratelimit'))).toEqual([]);
  const answers = await Promise.all(Array.from({ length: 20 }, search));
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
});

test('the client hears of a 429 as an exception with the policy in its body', async () => {
  limits({ ten_secondly: 0 });
  await expect(clientOf(sandbox).crm.contacts.basicApi.getById('1')).rejects.toMatchObject({
    code: 429,
    body: { policyName: 'TEN_SECONDLY_ROLLING' },
  });
});
