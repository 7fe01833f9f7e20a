import { describe, expect, it } from 'vitest';
import { notesAt, read } from './support/read.ts';

const OUTBOUND = { agents: { a1: { name: 'Alice', direction: 'outbound' as const, number: '+14155550100' } } };
const INBOUND = { agents: { a1: { direction: 'inbound' as const, number: '+14155550100' } } };
const named = (name: unknown) => read({}, { lead: { name } });

describe('the lead’s name', () => {
  it.each<[string, string | undefined, string | undefined]>([
    ['Dana', 'Dana', undefined],
    ['Dana Example', 'Dana', 'Example'],
    ['  Dana \n Example ', 'Dana', 'Example'],
    ['Mary Jane Sample', 'Mary Jane', 'Sample'],
    ['Vincent van Sample', 'Vincent', 'van Sample'],
    ['Ursel von der Example', 'Ursel', 'von der Example'],
    ['Charles de la Example', 'Charles', 'de la Example'],
    ['Example, Dana', 'Dana', 'Example'],
    ['van Example, Dana Maria', 'Dana Maria', 'van Example'],
    ['Dana Example, Jr.', 'Dana', 'Example Jr.'],
    ['Dana Example III', 'Dana', 'Example III'],
    ['Mr. Example', undefined, 'Example'],
    ['Frau Dr. Dana Example', 'Dana', 'Example'],
    ['O’Brien-Sample', 'O’Brien-Sample', undefined],
    ['山田太郎', '山田太郎', undefined],
    ['Example Software Inc.', undefined, undefined],
    ['Beispiel GmbH', undefined, undefined],
    ['Example, Inc.', undefined, undefined],
    ['Apartment 5B', undefined, undefined],
    ['A, B, C', undefined, undefined],
    ['One Two Three Four Five Six', undefined, undefined],
    ['Mr.', undefined, undefined],
    ['Dana, ', 'Dana', undefined],
    [', Dana', undefined, undefined],
    ['Example, Mr.', undefined, undefined],
    ['Example, Dana Maria Jo', 'Dana Maria Jo', 'Example'],
    ['Example, Dana Maria Jo Ann', undefined, undefined],
    ['One Two Three Four Five', 'One Two Three Four', 'Five'],
    ['Van Example', 'Van', 'Example'],
    ['Dana Van', 'Dana', 'Van'],
    ['Van der Example', 'Van', 'der Example'],
    ['Dana Jr', 'Dana', 'Jr'],
    ['Dana Example Jr', 'Dana', 'Example Jr'],
    ['Co', 'Co', undefined],
    ['Inc.', undefined, undefined],
    ['Dana (Danny) Example', 'Dana (Danny)', 'Example'],
    ['Dana Example (Sales)', 'Dana Example', '(Sales)'],
    ['(Dr) Dana Example', '(Dr) Dana', 'Example'],
    ['x'.repeat(120), 'x'.repeat(120), undefined],
  ])('%s', (name, first, last) => {
    const { lead } = named(name);
    expect(lead.name).toBe(name.replace(/\s+/g, ' ').trim());
    expect([lead.first_name, lead.last_name]).toEqual([first, last]);
  });

  it.each([
    ['Unknown'],
    ['unknown caller'],
    ['ANONYMOUS'],
    ['n/a'],
    ['None'],
    ['null'],
    ['[REDACTED]'],
    ['<PERSON_NAME>'],
    ['REDACTED_NAME'],
    ['***'],
    ['+1 415 555 0123'],
    ['{{customer_name}}'],
    ['dana@example.com'],
    ['-'],
  ])('%s is none, and noted', (name) => {
    const call = named(name);
    expect(call.lead).toEqual({});
    expect(notesAt(call, 'lead.name')).toHaveLength(1);
  });

  it.each([[null], [undefined], [''], [{}], [['Dana']]])('may be missing: %j', (name) => {
    expect(named(name).lead).toEqual({});
  });

  it('is not the agent’s', () => {
    expect(read({ model_id: 'a1' }, { lead: { name: 'Alice' } }, OUTBOUND).lead).toEqual({});
  });

  it('is not what stands beside the call under name', () => {
    expect(read({}, { name: 'Nightly campaign', lead: {} }).lead).toEqual({});
  });

  it('of a kilometre is none', () => {
    expect(named('Dana '.repeat(1000)).lead).toEqual({});
  });
});

describe('the lead’s e-mail', () => {
  const collected = (variables: { [name: string]: unknown }) =>
    read(
      {},
      {
        collected_variables: Object.fromEntries(
          Object.entries(variables).map(([name, value]) => [name, { value, collected: true }]),
        ),
      },
    );

  it.each([['Dana@Example.com'], [' dana@example.com '], ['mailto:dana@example.com'], ['dana@example.com.']])(
    '%j',
    (email) => {
      expect(read({}, { lead: { email } }).lead.email).toBe('dana@example.com');
    },
  );

  it.each([
    ['dana'],
    ['dana at example dot com'],
    ['dana@example'],
    ['dana@@example.com'],
    ['dana@exam ple.com'],
    ['dana@.com'],
    ['.dana@example.com'],
    ['da..na@example.com'],
    ['[REDACTED]'],
    ['a@example.com, b@example.com'],
    [`${'a'.repeat(250)}@example.com`],
  ])('%j is none, and noted', (email) => {
    const call = read({}, { lead: { email } });
    expect(call.lead).toEqual({});
    expect(notesAt(call, 'lead.email')).toHaveLength(1);
  });

  it.each([
    ['email'],
    ['Email'],
    ['e-mail'],
    ['E_MAIL'],
    ['user_email'],
    ['userEmail'],
    ['email address'],
    ['emailAddress'],
    ['customer_e_mail'],
    ['lead_email_address'],
    ['correo electronico'],
  ])('is found in the variable %s', (name) => {
    expect(collected({ [name]: 'Dana@Example.com' }).lead.email).toBe('dana@example.com');
  });

  it.each([
    ['agent_email'],
    ['company_email'],
    ['support_email'],
    ['email_sent'],
    ['email_subject'],
    ['notes'],
    ['mailbox'],
  ])('is not looked for in the variable %s', (name) => {
    const call = collected({ [name]: 'sales@example.com' });
    expect(call.lead).toEqual({});
    expect(call.notes).toEqual([]);
  });

  it('is found in what was extracted and in prompt variables', () => {
    const executed_actions = { info_extractor_email: { return_value: { email: 'dana@example.com' } } };
    expect(read({}, { executed_actions }).lead.email).toBe('dana@example.com');
    const lead = { prompt_variables: { email: 'dana@example.com' } };
    expect(read({}, { lead }).lead.email).toBe('dana@example.com');
  });

  it('is the lead’s own, then what was said in the call, then what was known before', () => {
    const lead = { email: 'a@example.com', prompt_variables: { email: 'c@example.com' } };
    const collected_variables = { email: { value: 'b@example.com', collected: true } };
    expect(read({}, { lead, collected_variables }).lead.email).toBe('a@example.com');
    const call = read({}, { lead: { ...lead, email: undefined }, collected_variables });
    expect(call.lead.email).toBe('b@example.com');
    expect(notesAt(call, 'prompt_variables.email')).toHaveLength(1);
  });

  it('is not taken from a variable that was not collected', () => {
    const collected_variables = { email: { value: 'default@example.com', collected: false } };
    expect(read({}, { collected_variables }).lead).toEqual({});
  });
});

describe('the lead’s number', () => {
  it('comes from the lead', () => {
    expect(read({}, { lead: { phone_number: '(415) 555-0123' } }).lead).toEqual({
      phone: '+14155550123',
      phone_origin: 'given',
      phone_raw: '(415) 555-0123',
      country: 'US',
    });
  });

  it.each([['anonymous'], ['sip:anonymous@anonymous.invalid'], ['72345'], ['[REDACTED]'], ['+1415555****']])(
    '%s is none: it is kept raw, and noted',
    (phone_number) => {
      const call = read({}, { lead: { phone_number } });
      expect(call.lead).toEqual({ phone_raw: phone_number });
      expect(notesAt(call, 'lead.phone_number')).toHaveLength(1);
    },
  );

  it('is kept raw up to 200 characters', () => {
    const raw = (phone_number: string) => read({}, { lead: { phone_number } }).lead;
    expect(raw('x'.repeat(200))).toEqual({ phone_raw: 'x'.repeat(200) });
    expect(raw('x'.repeat(201))).toEqual({});
  });

  it('is no end of the line as long as the direction is not known', () => {
    const call = read({ agent_phone_number: '+14155550100' }, { lead: { phone_number: '+14155550123' } });
    expect(call).not.toHaveProperty('from_number');
    expect(call).not.toHaveProperty('to_number');
  });

  it.each([[null], [undefined], ['']])('may be missing, as in widget calls: %j', (phone_number) => {
    const call = read({}, { lead: { phone_number } });
    expect(call.lead).toEqual({});
    expect(call.notes).toEqual([]);
  });

  it('comes from the system variable that means it', () => {
    const lead = { prompt_variables: { user_phone_number: '+14155550123' } };
    expect(read({}, { lead }).lead.phone).toBe('+14155550123');
  });

  it('is never the agent’s own', () => {
    const call = read({ model_id: 'a1' }, { lead: { phone_number: '+14155550100' } }, OUTBOUND);
    expect(call.lead).toEqual({});
    expect(notesAt(call, 'lead.phone_number')).toHaveLength(1);
  });

  const both = { phone_number_from: '+14155550100', phone_number_to: '+14155550123' };

  it.each([
    ['outbound', '+14155550123'],
    ['inbound', '+14155550100'],
  ])('is the one at the other end of an %s call', (type_of_call, phone) => {
    const call = read({ ...both, type_of_call });
    expect(call.lead.phone).toBe(phone);
    expect(call).toMatchObject({ direction: type_of_call, from_number: '+14155550100', to_number: '+14155550123' });
  });

  it('is the one that is not the agent’s when the direction is not known', () => {
    const call = read({ ...both, agent_phone_number: '+14155550100' });
    expect(call.lead.phone).toBe('+14155550123');
    expect(call).not.toHaveProperty('direction');
    expect(read({ ...both, agent_phone_number: '+14155550123' }).lead.phone).toBe('+14155550100');
    expect(read({ ...both, agent_phone_number: '+14155550199' }).lead).toEqual({});
  });

  it('is the first that can be read of those that mean one end', () => {
    const numbers = { phone_number_from: 'anonymous', from_number: '+14155550123' };
    expect(read({ ...numbers, type_of_call: 'outbound' }).from_number).toBe('+14155550123');
  });

  it('is not the only one of the line when nothing says whose it is, which is noted', () => {
    const call = read({ phone_number_to: '+14155550123' });
    expect(call.lead).toEqual({});
    expect(notesAt(call, 'call.phone_number_to')).toHaveLength(1);
  });

  it('is neither when nothing tells them apart, which is noted', () => {
    const call = read(both);
    expect(call.lead).toEqual({});
    expect(notesAt(call, 'call.phone_number_from')).toHaveLength(1);
  });
});

describe('where an address or a number comes from', () => {
  const list = { email: 'dana@example.com', prompt_variables: { user_phone_number: '+14155550123' } };
  const collected_variables = { email: { value: 'said@example.com', collected: true } };

  it.each([
    ['outbound', 'given'],
    ['inbound', 'said'],
    [undefined, 'said'],
  ])('the list of an %s call: %s', (type_of_call, origin) => {
    expect(read({ type_of_call }, { lead: list }).lead).toMatchObject({ email_origin: origin, phone_origin: origin });
    const { lead } = read({ type_of_call }, { lead: { prompt_variables: { email: 'dana@example.com' } } });
    expect(lead).toMatchObject({ email: 'dana@example.com', email_origin: origin });
  });

  it.each([['outbound'], ['inbound'], [undefined]])('the line of an %s call is given', (type_of_call) => {
    const { lead } = read({ type_of_call }, { lead: { phone_number: '+14155550123' } });
    expect(lead).toMatchObject({ phone: '+14155550123', phone_origin: 'given' });
  });

  it.each([['outbound'], ['inbound'], [undefined]])(
    'what is collected or extracted in an %s call was said',
    (type_of_call) => {
      expect(read({ type_of_call }, { collected_variables }).lead).toEqual({
        email: 'said@example.com',
        email_origin: 'said',
      });
    },
  );

  it('a given one is taken first, and what was said beside it is kept', () => {
    const call = read({ type_of_call: 'outbound' }, { lead: list, collected_variables });
    expect(call.lead).toMatchObject({
      email: 'dana@example.com',
      email_origin: 'given',
      said_email: 'said@example.com',
    });
    expect(notesAt(call, 'collected_variables.email')).toHaveLength(1);
    const same = { email: { value: 'Dana@Example.com', collected: true } };
    const agreed = read({ type_of_call: 'outbound' }, { lead: list, collected_variables: same });
    expect(agreed.lead).not.toHaveProperty('said_email');
  });

  it('a second one that came from where the first did is only noted', () => {
    const email = (name: string) => ({ [name]: { value: `${name}@example.com`, collected: true } });
    const said = read({}, { collected_variables: { ...email('email'), ...email('user_email') } });
    expect(said.lead).toEqual({ email: 'email@example.com', email_origin: 'said' });
    expect(notesAt(said, 'collected_variables.user_email')).toHaveLength(1);
    const lead = { email: 'dana@example.com', prompt_variables: { email: 'other@example.com' } };
    expect(read({ type_of_call: 'outbound' }, { lead }).lead).toEqual({
      email: 'dana@example.com',
      email_origin: 'given',
    });
  });

  it('an agent that calls itself tells no direction', () => {
    const line = { agent_phone_number: '+14155550100', from_number: '+14155550100', to_number: '+14155550100' };
    expect(read(line, { lead: { email: 'dana@example.com' } }).lead).toMatchObject({ email_origin: 'said' });
  });

  it('the number of the line is taken before one that a variable tells', () => {
    const prompt_variables = { from_phone_number: '+14155550188' };
    const { lead } = read({ type_of_call: 'inbound', from_number: '+14155550123' }, { lead: { prompt_variables } });
    expect(lead).toMatchObject({ phone: '+14155550123', phone_origin: 'given' });
    const alone = read({ type_of_call: 'inbound' }, { lead: { prompt_variables } }).lead;
    expect(alone).toMatchObject({ phone: '+14155550188', phone_origin: 'said' });
  });

  it('the numbers of the line tell which way the call went, and variables do not', () => {
    const line = {
      agent_phone_number: '+14155550100',
      phone_number_from: '+14155550100',
      phone_number_to: '+14155550123',
    };
    expect(read(line, { lead: { email: 'dana@example.com' } }).lead).toMatchObject({ email_origin: 'given' });
    const prompt_variables = { from_phone_number: '+14155550100', to_phone_number: '+14155550123' };
    const claimed = read(
      { agent_phone_number: '+14155550100' },
      { lead: { email: 'dana@example.com', prompt_variables } },
    );
    expect(claimed.lead).toMatchObject({ email_origin: 'said', phone: '+14155550123', phone_origin: 'said' });
  });
});

describe('direction and agent', () => {
  it('come from the agents table', () => {
    const call = read({ model_id: 'a1' }, { lead: { phone_number: '+14155550123' } }, OUTBOUND);
    expect(call).toMatchObject({
      direction: 'outbound',
      agent: { id: 'a1', name: 'Alice', number: '+14155550100' },
      from_number: '+14155550100',
      to_number: '+14155550123',
    });
  });

  it('give the caller of an inbound call', () => {
    const call = read({ model_id: 'a1' }, { lead: { phone_number: '+14155550123' } }, INBOUND);
    expect(call).toMatchObject({ direction: 'inbound', from_number: '+14155550123', to_number: '+14155550100' });
  });

  it('come from the table before the API', () => {
    expect(read({ model_id: 'a1', type_of_call: 'inbound' }, {}, OUTBOUND).direction).toBe('outbound');
  });

  it.each<[unknown, string | undefined, number]>([
    ['Outbound', 'outbound', 0],
    ['inbound', 'inbound', 0],
    ['widget', undefined, 1],
    [null, undefined, 0],
    [undefined, undefined, 0],
  ])('type_of_call %s', (type_of_call, direction, notes) => {
    const call = read({ type_of_call });
    expect(call.direction).toBe(direction);
    expect(call.notes).toHaveLength(notes);
  });

  it('are absent for an agent that the table does not know, nor the name of a prototype’s member', () => {
    expect(read({ model_id: 'other' }, {}, OUTBOUND).agent).toEqual({ id: 'other' });
    expect(read({ model_id: 'constructor' }, {}, OUTBOUND).agent).toEqual({ id: 'constructor' });
  });
});
