import type { Call } from '@wrapup/call';
import { describe, expect, it } from 'vitest';
import {
  combineRevisions,
  holdsAddress,
  isOver,
  normalise,
  samplePayload,
  withoutUnproved,
  writeFacts,
} from '../src/index.ts';
import { CONTEXT, parsed, read, webhook } from './support/read.ts';

describe('a revision that only a signature vouches for', () => {
  const known = read(
    {},
    {
      lead: { phone_number: '+14155550123' },
      collected_variables: { site: { value: 'https://a.example', collected: true } },
    },
  );

  it.each<[string, object, object, string[]]>([
    ['an e-mail address', {}, { lead: { email: 'thief@evil.example' } }, ['lead.email']],
    ['another number', {}, { lead: { phone_number: '+14155550199' } }, ['lead.phone', 'lead.phone_raw']],
    ['a recording', { recording_url: 'https://evil.example/a.mp3' }, {}, ['recording_url']],
    [
      'a link in a variable',
      {},
      { collected_variables: { pay: { value: 'see https://evil.example', collected: true } } },
      ['vars.pay'],
    ],
    ['a host as a value', {}, { metadata: { page: 'evil.example' } }, ['metadata.page']],
    ['an address inside of a value', {}, { metadata: { who: { mails: ['a@evil.example'] } } }, ['metadata.who']],
    ['the person of a look-up', {}, { prompt_variables: { crm_person_id: '17' } }, ['prompt_variables.crm_person_id']],
    ['a link in the transcript', { transcript: 'human: pay at evil.example/now' }, {}, ['transcript']],
    [
      'a link in what an action returned',
      {},
      { executed_actions: { send: { action_type: 'custom', return_value: { url: 'https://evil.example' } } } },
      ['actions.send'],
    ],
  ])('does not bring in %s', (_name, call, root, left_out) => {
    const admitted = withoutUnproved(known, read(call, root));
    expect(admitted.left_out).toEqual(expect.arrayContaining(left_out));
    expect(JSON.stringify(admitted.call)).not.toMatch(/evil|5550199|"17"/);
  });

  it('brings in the rest, and keeps what it repeats', () => {
    const root = {
      lead: { name: 'Dana Juniper', phone_number: '+14155550123' },
      collected_variables: {
        site: { value: 'https://a.example', collected: true },
        budget: { value: 65000, collected: true },
        date: { value: '2026-11-24', collected: true },
        price: { value: '1.500.000', collected: true },
      },
      analysis: { answered_by_human: { value: true } },
    };
    const { call, left_out } = withoutUnproved(
      known,
      read({ transcript: 'human: Call me tomorrow. bot: Sure.' }, root),
    );
    expect(left_out).toEqual([]);
    expect(call.lead).toMatchObject({ name: 'Dana Juniper', phone: '+14155550123' });
    expect(call.vars).toEqual({ site: 'https://a.example', budget: 65000, date: '2026-11-24', price: '1.500.000' });
    expect(call.transcript).toContain('tomorrow');
  });

  it('leaves raw as it was: a mapping may read anything of it', () => {
    const revision = read({ recording_url: 'https://evil.example' });
    expect(withoutUnproved(known, revision).call.raw).toBe(known.raw);
  });
});

describe('of such a revision', () => {
  const known: Call = {
    ...read({}, { lead: { name: 'Dana' } }),
    booking: { status: 'booked', action: 'book', id: '1' },
  };
  const admit = (more: Partial<Call>, before: Partial<Call> = {}) =>
    withoutUnproved({ ...known, ...before }, { ...known, ...more });

  it.each<[keyof Call, Partial<Call>]>([
    ['from_number', { from_number: '+14155550123' }],
    ['to_number', { to_number: '+14155550123' }],
    ['recording_url', { recording_url: 'https://a.example' }],
    ['external_id', { external_id: 'deal 7' }],
    ['diversion', { diversion: 'desk' }],
    ['direction', { direction: 'outbound' }],
    ['transferred_to', { transferred_to: 'desk' }],
    ['error', { error: 'see https://evil.example' }],
    ['end_reason_text', { end_reason_text: 'see https://evil.example' }],
    ['transcript', { transcript: 'bot: see https://evil.example', turns: [{ speaker: 'agent', text: 'x' }] }],
  ])('%s is left out where it is new, and stays where it was known', (fact, more) => {
    const admitted = admit(more);
    expect(admitted.left_out).toEqual([fact]);
    expect(admitted.call).not.toHaveProperty(fact);
    expect(admitted.call.turns).toEqual([]);
    expect(admit(more, more)).toEqual({ call: { ...known, ...more }, left_out: [] });
  });

  it.each<[string, Partial<Call>]>([
    ['texts', { error: 'no route', end_reason_text: 'asked to stop', transcript: 'bot: hi' }],
    ['a name', { lead: { name: 'Dana Juniper', first_name: 'Dana', last_name: 'Juniper' } }],
    ['the other facts', { status: 'busy', duration: 5, timezone: 'Europe/Berlin', analysis: { goal: 'true' } }],
    ['what was collected', { collected: { city: { value: 'Springfield', collected: true } } }],
    ['what an action answered', { actions: { pay: { name: 'pay', return_value: { paid: 5 }, error: 'late' } } }],
  ])('%s may be new', (_what, more) => {
    expect(admit(more)).toEqual({ call: { ...known, ...more }, left_out: [] });
  });

  it('a name that is a link, and what comes with an address, are left out', () => {
    const { call, left_out } = admit({
      lead: { name: 'evil.example', first_name: 'Dana', phone: '+14155550199', phone_origin: 'given', country: 'US' },
    });
    expect(call.lead).toEqual({ first_name: 'Dana' });
    expect(left_out).toEqual(['lead.name', 'lead.phone', 'lead.phone_origin', 'lead.country']);
  });

  it.each(['vars', 'extracted', 'analysis', 'prompt_variables', 'metadata'] as const)(
    '%s brings in no link and no person, and keeps those that were known',
    (root) => {
      const members = {
        site: 'https://a.example',
        crm_person_id: '17',
        crm_connection: 'hubspot',
        city: 'Springfield',
      };
      const admitted = admit({ [root]: members });
      expect(admitted.call[root]).toEqual({ city: 'Springfield' });
      expect(admitted.left_out).toEqual([`${root}.site`, `${root}.crm_person_id`, `${root}.crm_connection`]);
      expect(admit({ [root]: members }, { [root]: members }).call[root]).toEqual(members);
    },
  );

  it('no other appointment comes in than the one that was known', () => {
    const other = { status: 'booked', action: 'book', id: '2' } as const;
    expect(admit({ booking: other })).toEqual({ call: known, left_out: ['booking'] });
    expect(admit({ booking: known.booking }).left_out).toEqual([]);
    expect(admit({ booking: {} })).toEqual({ call: { ...known, booking: {} }, left_out: [] });
  });

  it('what was collected and what actions answered brings in no address, and keeps what was known', () => {
    const parts: Pick<Call, 'collected' | 'actions'> = {
      collected: { site: { value: 'https://a.example', collected: true }, city: { value: 'a', collected: true } },
      actions: { pay: { name: 'pay', error: 'see https://a.example' }, look: { name: 'look' } },
    };
    const { call, left_out } = admit(parts);
    expect(call.collected).toEqual({ city: { value: 'a', collected: true } });
    expect(call.actions).toEqual({ look: { name: 'look' } });
    expect(left_out).toEqual(['actions.pay']);
    expect(admit(parts, parts).call).toEqual({ ...known, ...parts });
  });

  it('what is absent stays absent, and dictionaries have no prototype', () => {
    const { call } = admit({ lead: { name: 'Dana', email: undefined } as never });
    expect(Object.keys(call.lead)).toEqual(['name']);
    expect(Object.getPrototypeOf(call.vars)).toBeNull();
  });
});

describe('what is or holds an address', () => {
  it.each([
    ...['https://a.example', 'x://y', 'see FTP://a', 'mailto:x', 'tel:1', 'sms:1', 'SIP:a', 'callto:a', 'data:x'],
    ...['javascript:alert(1)', 'www.x', 'at WWW.x', 'mailto:a@b.example', 'a@b.example', 'write to a@müller.de now'],
    ...['evil.example/now', 'pay at evil.example/now', 'bücher.example', 'a-b.example', '7.example', ' evil.example '],
    ...['x.x.x.x.x.x.x.x.example', `${'x'.repeat(63)}.example`, `x.${'y'.repeat(24)}`],
    ...['+1 (415) 555-0199', '004915112345678', '555-0199', '555.0199', '123456789', '1'.repeat(30)],
    ...['24.11.20261', '12026-11-24', '0.500.000', '1.500.0000', '1500.000'],
    ...[4155550199, 100_000_000, -100_000_000],
    ...[['x', ['evil.example']], { a: { b: 'evil.example' } }, { 'a@b.example': 1 }, [{ 'evil.example': null }]],
  ])('%j is or holds one', (value) => expect(holdsAddress(value)).toBe(true));

  it.each([
    ...['://x', 'https:// x', 'the data: none', 'hotel:5', 'xwww.x', 'www. x', '@b.example', 'a@b', 'a@b.c', 'a@b.12'],
    ...[
      'a <@b.example>',
      'and/or',
      'a.b/c',
      'evil.example/',
      'evil.example / now',
      'e.g. this',
      'Hello. Bye',
      'Hello.',
    ],
    ...['x.x.x.x.x.x.x.x.x.example', `${'x'.repeat(64)}.example`, `x.${'y'.repeat(25)}`, '.example', 'x..example'],
    ...[
      'see evil.example',
      'evil.example it is',
      'x.y2',
      '3 pm',
      '10:30',
      '12345',
      '12345678',
      '555-019',
      '1'.repeat(31),
    ],
    ...['1++4155550199', '24.11.2026', '2026-11-24', '1-1-2026', '01/11/2026', '1.500.000', '1 500 000', '500.000.000'],
    ...[65000, 99_999_999, 1_234_567_890.5, true, false, null, undefined, [], {}, ['x', 1], { a: ['b'] }],
  ])('%j is and holds none', (value) => expect(holdsAddress(value)).toBe(false));

  it('is found in linear time', () => {
    for (const text of ['a', 'a.', 'a@', '://', 'a-', '1 '].map((part) => part.repeat(2_000_000))) holdsAddress(text);
  });
});

describe('a call as its revisions make it up', () => {
  const first = read({}, { lead: { name: 'Dana' } });
  const city = read({}, { metadata: { city: 'Springfield' } });
  const email = read({}, { lead: { email: 'dana@example.com' } });

  it('is the first one where there is no other', () => {
    expect(combineRevisions(first, [])).toEqual({ call: first, proved: first, left_out: [] });
  });

  it('has what is proved in both readings, which are one as long as all of it is', () => {
    const { call, proved, left_out } = combineRevisions(first, [{ call: email, proved: true }]);
    expect(call.lead).toMatchObject({ name: 'Dana', email: 'dana@example.com' });
    expect([proved === call, left_out]).toEqual([true, []]);
  });

  it('has what only a signature vouches for in one of them, without addresses, also after more was proved', () => {
    const { call, proved, left_out } = combineRevisions(first, [
      { call: city, proved: false },
      { call: email, proved: false },
      { call: email, proved: false },
      { call: read({ timezone: 'Europe/Berlin' }), proved: true },
    ]);
    expect(call).toMatchObject({
      metadata: { city: 'Springfield' },
      timezone: 'Europe/Berlin',
      lead: { name: 'Dana' },
    });
    expect(proved).toMatchObject({ metadata: {}, timezone: 'Europe/Berlin', lead: { name: 'Dana' } });
    expect(proved.metadata).toEqual({});
    expect(call.lead).not.toHaveProperty('email');
    expect(left_out).toEqual(['lead.email', 'lead.email_origin']);
  });
});

describe('facts as text', () => {
  it('are the same for equal revisions and for no others', () => {
    const payload = samplePayload('connected');
    const turned = parsed(JSON.stringify(Object.fromEntries(Object.entries(payload).reverse())));
    const text = writeFacts(normalise(payload, CONTEXT));
    expect(writeFacts(normalise(turned, { ...CONTEXT, received_at: Date.UTC(2026, 10, 21) }))).toBe(text);
    expect(writeFacts(normalise(samplePayload('connected', { duration: 135 }), CONTEXT))).not.toBe(text);
  });

  it('are in the order of their names at any depth, whatever they are called', () => {
    const factsWith = (metadata: string) =>
      writeFacts({ ...normalise(samplePayload('connected'), CONTEXT), metadata: parsed(metadata) as never });
    const text = factsWith('{"b":[{"d":1,"c":null}],"__proto__":{"f":1,"e":2},"a":1}');
    expect(text).toContain('"metadata":{"__proto__":{"e":2,"f":1},"a":1,"b":[{"c":null,"d":1}]}');
    expect(factsWith('{"a":1,"__proto__":{"e":2,"f":1},"b":[{"c":null,"d":1}]}')).toBe(text);
  });
});

it('a payload says whether its call is over', () => {
  expect(isOver(webhook())).toBe(true);
  expect(isOver(webhook({ status: 'in-progress' }, { status: 'in-progress' }))).toBe(false);
  expect(isOver({ nothing: true })).toBe(false);
});
