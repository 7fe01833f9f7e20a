import { formatFinding } from '@wrapup/findings';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bodyOf } from '../src/body/body.ts';
import { checkPlaces, leavesOf, parseBodyPath, putInto } from '../src/body/body-path.ts';
import { compile, compiled, planOf, someCall } from './support/plans.ts';

function body(mapping: string, call = someCall()) {
  const plan = planOf(call, { mapping });
  const [record] = plan.records;
  if (!record) throw new Error('no event');
  return bodyOf(plan, record);
}
const event = (...lines: string[]) =>
  ['events:', '  - name: event', ...lines.map((line) => `    ${line}`), ''].join('\n');

describe('a body made of fields', () => {
  test('is these fields alone, with their types', () => {
    const mapping = event(
      'fields:',
      '  title: "{{ call.outcome | upper }} call"',
      '  budget: vars.budget',
      '  seconds: call.duration',
      '  answered: { from: call.answered_by, map: { human: true, machine: false, nobody: false, unknown: false } }',
      '  kind: { value: phone }',
      '  absent: vars.nothing',
      '  emptied: { from: vars.nothing, clear: true }',
    );
    expect(body(mapping)).toEqual({
      title: 'CONNECTED call',
      budget: 12_000,
      seconds: 62,
      answered: true,
      kind: 'phone',
      emptied: null,
    });
  });

  test('may go deep', () => {
    const mapping = event(
      'fields:',
      '  lead.name: lead.name',
      '  lead.phone: lead.phone',
      '  blocks[0].type: { value: section }',
      '  blocks[0].text.text: call.id',
      '  blocks[2]: call.outcome',
      '  custom["a.b"]: call.id',
      '  "with space": call.id',
    );
    const { name, phone } = someCall().lead;
    expect(body(mapping)).toEqual({
      lead: { name, phone },
      blocks: [{ type: 'section', text: { text: 'c1' } }, null, 'connected'],
      custom: { 'a.b': 'c1' },
      'with space': 'c1',
    });
  });

  test('has a text that may be a template', () => {
    expect(body(event('text: { template: call-summary, transcript: none }')).text).toMatch(/Connected/i);
    expect(body(event('text: "{{ lead.first_name }} said {{ vars.topic }}"'))).toEqual({
      text: 'Wilhelmina said renewal',
    });
  });
});

describe('a body made of the call', () => {
  const { lead, vars } = someCall();

  test('holds everything but the payload as it came', () => {
    const { data, ...rest } = body('extends: http/event\n');
    expect(rest).toEqual({ type: 'call.connected', timestamp: '2026-11-20T10:01:02.000Z' });
    expect(Object.keys(data as object)).toEqual([
      ...['call', 'lead', 'booking', 'vars', 'collected', 'extracted', 'actions', 'analysis', 'prompt_variables'],
      ...['metadata', 'source'],
    ]);
  });

  test.each([
    ['raw', { raw: { call: { call_id: 'c1', untouched: 'as it came' } } }],
    ['lead vars', { lead, vars }],
    [
      'call.id, call.outcome, lead.phone, source',
      { call: { id: 'c1', outcome: 'connected' }, lead: { phone: lead.phone }, source: { name: 'main' } },
    ],
    ['vars["with space"], vars.budget', { vars: { budget: 12_000, 'with space': 'yes' } }],
    ['vars, vars.budget', { vars }],
    ['call.direction', { call: {} }],
    ['vars.budget.currency', { vars: {} }],
  ])('send: %s', (send, data) => {
    expect(body(event(`send: ${JSON.stringify(send)}`)).data).toEqual(data);
  });

  test('leaves out what leave_out names', () => {
    const mapping = `extends: http/event\n${event('leave_out: "call.transcript, call.turns, lead, vars.budget"')}`;
    const { data } = body(mapping) as { data: { call: object; vars: object } };
    expect(Object.keys(data)).not.toContain('lead');
    expect(Object.keys(data.call)).not.toContain('transcript');
    expect(Object.keys(data.call)).not.toContain('turns');
    expect(data.vars).toEqual({ topic: 'renewal', 'with space': 'yes' });
    expect(JSON.stringify(data)).not.toContain('doormat');
  });

  test('may have fields beside it', () => {
    const mapping = `extends: http/event\n${event('fields: { team: { value: sales }, lead.score: { value: 7 } }')}`;
    expect(body(mapping)).toMatchObject({ type: 'call.connected', data: { vars }, team: 'sales', lead: { score: 7 } });
  });

  test('is dated by what is known of the time', () => {
    const { ended_at: _, ...unended } = someCall();
    expect(body('extends: http/event\n', unended).timestamp).toBe('2026-11-20T10:00:00.000Z');
    const { started_at: __, ...timeless } = unended;
    expect(body('extends: http/event\n', timeless)).not.toHaveProperty('timestamp');
  });

  test('that is inherited gives way to fields with send: null', () => {
    const mapping = `extends: http/event\n${event('send: null', 'type: null', 'fields: { id: call.id }')}`;
    expect(body(mapping)).toEqual({ id: 'c1' });
  });
});

describe('mistakes are found at load, with a place', () => {
  test.each([
    ['send: everything', 3, 'bad-value', /begins with none of call, lead/],
    ['send: "{{ call.id }}"', 3, 'bad-value', /must be all, or paths of the call/],
    ['send: laed.phone', 3, 'bad-value', /begins with none of call, lead/],
    ['send: lead.fone', 3, 'bad-value', /nothing that lead has: name, first_name/],
    ['send: "call.turns[0]"', 3, 'bad-value', /leads into a list/],
    ['send: ","', 3, 'bad-value', /names nothing/],
    ['leave_out: all', 3, 'bad-value', /must be paths of the call/],
    ['leave_out: call.trnscript', 3, 'bad-value', /nothing that call has/],
    ['leave_out: transcript', 3, 'bad-value', /begins with none of/],
    ['leave_out: "vars["', 3, 'bad-value', /is not written like/],
    ['fields: { "a..b": call.id }', 3, 'bad-field', /is not written like/],
    ['fields: { "a[200]": call.id }', 3, 'bad-field', /beyond entry 100/],
    ['fields: { a: call.id, a.b: call.id }', 3, 'bad-field', /inside a field that has a value/],
    ['fields: { a.b: call.id, a: call.id }', 3, 'bad-field', /holds other fields already/],
    ['fields: { "a[0]": call.id, a.b: call.id }', 3, 'bad-field', /a list in one place and has names in another/],
    ['fields: { a.__proto__.b: call.id }', 3, 'bad-field', /cannot contain __proto__/],
    ['subject: hello', 3, 'unknown-key', /unknown key "subject"/],
  ])('%s', (line, at, code, says) => {
    const { mapping, findings } = compile(event(line));
    expect(mapping).toBeUndefined();
    expect(findings.map(formatFinding)).toHaveLength(1);
    expect(findings[0]).toMatchObject({ code, message: expect.stringMatching(says), at: { line: at } });
  });

  test.each([
    ['data', 'is there already'],
    ['timestamp', 'is there already'],
    ['data.vars.score', 'lies inside a field that has a value'],
  ])('a field that is in the way of the call: %s', (field, problem) => {
    const { findings } = compile(event('send: all', `fields: { ${field}: call.id }`));
    expect(findings).toMatchObject([{ code: 'bad-field', message: `the field ${field} ${problem}`, at: { line: 4 } }]);
  });

  test('an endpoint has no person and no call log', () => {
    for (const text of ['person: { match: [phone] }\n', 'call_log: { title: x }\n'])
      expect(compile(text).findings).toMatchObject([{ code: 'unknown-key' }]);
  });

  test('what a plan says that no compiler has seen parks, and quotes nothing', () => {
    const plan = planOf();
    const [record] = plan.records;
    const at = { file: 'x.yaml', line: 1, column: 1 };
    for (const name of ['$send', '$leave_out', 'a..b']) {
      const fields = [{ name: '$send', value: 'all', write: 'overwrite' as const, at }];
      const bad = { name, value: 'very secret', write: 'overwrite' as const, at };
      const broken = { ...(record as NonNullable<typeof record>), fields: name === '$send' ? [bad] : [...fields, bad] };
      expect(() => bodyOf(plan, broken)).toThrow(
        expect.objectContaining({ code: 'mapping', next: 'park', message: expect.not.stringContaining('secret') }),
      );
    }
  });
});

describe('places in a body', () => {
  test('are read as they are written', () => {
    expect(parseBodyPath('a.b[0]["c.d"].e-f')).toEqual(['a', 'b', 0, 'c.d', 'e-f']);
    expect(parseBodyPath('["a b"].c')).toEqual(['a b', 'c']);
    for (const wrong of ['', '.a', 'a.', 'a[b]', 'a]', '[0]', 'a["b]', 'a.constructor', 'a'.padEnd(40, '.b')])
      expect(typeof parseBodyPath(wrong), wrong).toBe('string');
  });

  test('and leaves lead back to where they were put', () => {
    const name = fc
      .string({ minLength: 1, maxLength: 8 })
      .filter((text) => !/["\\]|__proto__|constructor|prototype/.test(text));
    const segment = fc.oneof(name, fc.nat(5));
    fc.assert(
      fc.property(name, fc.array(segment, { maxLength: 6 }), fc.integer(), (first, rest, value) => {
        const body: Record<string, unknown> = {};
        expect(putInto(body, [first, ...rest], value)).toBeUndefined();
        const [place] = leavesOf(body).find(([, leaf]) => leaf === value) ?? [''];
        expect(parseBodyPath(place)).toEqual([first, ...rest]);
        expect(Object.getPrototypeOf(body)).toBe(Object.prototype);
      }),
    );
  });

  test('that exclude one another are reported, the later one', () => {
    expect(checkPlaces(['a', 'b.c', 'a.x', 'b', 'b.c', 'b.d'])).toEqual([
      { place: 'a.x', problem: 'lies inside a field that has a value' },
      { place: 'b', problem: 'holds other fields already' },
      { place: 'b.c', problem: 'is there already' },
    ]);
  });

  test('deep bodies do not exhaust the stack', () => {
    let deep: unknown = 1;
    for (let n = 0; n < 100_000; n += 1) deep = [deep];
    const started = performance.now();
    expect(leavesOf({ few: deep as object })).toHaveLength(1);
    expect(performance.now() - started).toBeLessThan(20_000);
  });
});

test('the preset compiles without a finding and writes nothing but its event', () => {
  const { fields } = compiled('extends: http/event\n');
  expect(fields.map(({ property }) => property)).toEqual(['type', '$send']);
});
