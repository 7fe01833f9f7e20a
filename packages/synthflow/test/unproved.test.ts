import { describe, expect, it } from 'vitest';
import { holdsAddress, isOver, normalise, samplePayload, withoutUnproved, writeFacts } from '../src/index.ts';
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

  it.each(['javascript:alert(1)', 'mailto:a@b.example', '+1 (415) 555-0199', '004915112345678', 4155550199, 'www.x'])(
    'takes %s for an address',
    (value) => expect(holdsAddress(value)).toBe(true),
  );
  it.each(['3 pm', '10:30', '24.11.2026', 'the data: none', 'Hello. Bye', '12345', 65000, true, null, 'e.g. this'])(
    'takes %s for none',
    (value) => expect(holdsAddress(value)).toBe(false),
  );

  it('is looked through in linear time', () => {
    for (const text of ['a', 'a.', 'a@', '://', 'a-', '1 '].map((part) => part.repeat(2_000_000))) holdsAddress(text);
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
