import type { Call, Json } from '@wrapup/call';
import type { Plan } from '@wrapup/mapping';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { someCall } from './support/call.ts';
import { compiled } from './support/compile.ts';

/** Every root, every kind of value, most transforms, over whatever a payload may hold. */
const MAPPING = compiled(`time_zone: America/New_York
person:
  id: raw.a
  unmatched: { connected: create, default: log_only }
  fields:
    a: vars.a
    b: { from: vars.a, transform: [trim, number], default: 0 }
    c: "{{ vars.a | title_case }} {{ raw.a.b[0] | json }} {{ person.x }}"
    d: { from: extracted.a, transform: [ { split: "," }, first, { slice: [0, 5] } ], clear: true }
    e: { from: metadata.a, map: { x: y }, default: lead.name }
    f: { from: prompt_variables.a, transform: [ { date: America/New_York } ] }
    g: "{{ vars.a | datetime }}{{ vars.a | email }}{{ vars.a | e164: US }}{{ vars.a | url_host }}"
    h: "{{ raw | json }}{{ vars.a | duration }}{{ vars.a | round: 3 }}{{ vars.a | seconds_to_ms }}"
    i: "{{ vars.a | redact }}{{ vars.a | hash }}{{ vars.a | first_name }}{{ vars.a | last_name }}"
    j: { from: vars.a, transform: { replace: [a, aaaaaaaaaaaaaaaaaaaa] } }
    k: { from: vars.a, transform: { list_contains: a } }
    l: { from: vars.a, transform: [last, boolean] }
    m: { from: vars.a, transform: [ { join: ";" }, upper, lower, { truncate: 5 } ] }
    n: { from: actions.a.return_value, transform: integer, required: true }
    o: collected.a.value
    p: analysis.goal
    q: call.turns
call_log:
  title: "{{ call.direction }} {{ lead.name }} {{ call.agent.name }}"
  body: { template: call-summary, transcript: full }
  fields: { notes2: vars.a, at: call.ended_at }
tasks:
  - name: a
    when:
      any:
        - { path: vars.a, equals: a }
        - { path: raw.a, in: [1, a, true] }
        - { all: [ { path: vars.a, gt: 1 }, { not: { path: vars.a, lte: 2026-01-01 } } ] }
        - { path: vars.a, contains: a }
        - { path: person.x, starts_with: a }
        - { path: vars.a, exists: true }
    subject: "{{ vars.a | national }}"
    body: "{{ vars.a }}"
    due_in: 1 business day at 09:00
`);

const hostileText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom(
    '__proto__',
    'constructor',
    '\u0000',
    '\ud800',
    '{{ lead.name }}',
    '<script>',
    '1e999',
    '-',
    '2026-02-30',
    '+1',
  ),
  fc.constantFrom('a'.repeat(50_000), '@'.repeat(5000), `${'a@'.repeat(5000)}`, '1 '.repeat(5000), ' '.repeat(50_000)),
);
const hostileJson = fc.oneof(
  { maxDepth: 3 },
  hostileText,
  fc.jsonValue({ maxDepth: 4 }),
  fc.constantFrom(Number.POSITIVE_INFINITY, Number.NaN, -0, 1e308, null, [], {}),
  fc.dictionary(fc.constantFrom('a', 'b', '__proto__', 'toString', 'length'), hostileText),
  fc.array(fc.oneof(hostileText, fc.integer(), fc.constant(null)), { maxLength: 5 }),
) as fc.Arbitrary<Json>;

/** Nothing is where it should be: members are missing, or of any kind. */
const hostileCall = fc
  .dictionary(
    fc.constantFrom(...(Object.keys(someCall()) as (keyof Call)[])),
    fc.oneof(hostileJson, fc.record({ a: hostileJson, b: hostileJson })),
  )
  .map((changes) => ({ ...someCall(), ...changes, id: 'c-1', source: 'main' }) as Call);

function checkPlan(plan: Plan) {
  expect(plan.key).toBe('main:c-1');
  expect(Number.isFinite(Date.parse(plan.ended_at))).toBe(true);
  const fields = [...(plan.person?.fields ?? []), ...plan.records.flatMap((record) => record.fields)];
  for (const { value } of fields) {
    expect(['string', 'number', 'boolean'].includes(typeof value) || value === null).toBe(true);
    if (typeof value === 'number') expect(Number.isFinite(value)).toBe(true);
    if (typeof value !== 'string') continue;
    expect(value.length).toBeLessThanOrEqual(200_000);
    expect(value.isWellFormed()).toBe(true);
    expect(value).not.toContain('\u0000');
  }
  for (const step of plan.person?.match ?? []) expect(typeof step.value).toBe('string');
  for (const { reason, at } of plan.left_out) {
    expect(reason).not.toBe('');
    expect(at.file).toBe('mappings/acme.yaml');
  }
}

test('whatever a call holds gives a plan, and the same call the same plan', () => {
  fc.assert(
    fc.property(hostileCall, hostileJson, (call, x) => {
      const plan = MAPPING.plan(call, 'calls');
      checkPlan(plan);
      checkPlan(plan.settle({ x: x as never }));
      const again = MAPPING.plan(call, 'calls');
      expect(JSON.stringify({ ...again, call: null })).toBe(JSON.stringify({ ...plan, call: null }));
    }),
    { numRuns: Number(process.env.FAST_CHECK_RUNS ?? 300) },
  );
});

test('reasons never quote the call', () => {
  const secret = 'S3cr3t-value';
  const call = someCall({ vars: { a: [secret, { secret }] }, extracted: { a: { secret } }, raw: { a: secret } });
  const { left_out } = MAPPING.plan(call, 'calls');
  expect(left_out.length).toBeGreaterThan(5);
  expect(JSON.stringify(left_out)).not.toContain(secret);
});

test('a call as deep as a payload can be is no trouble', () => {
  let deep: Json = 'x';
  for (let level = 0; level < 100_000; level += 1) deep = level % 2 ? { a: deep } : [deep];
  checkPlan(MAPPING.plan(someCall({ raw: deep, vars: { a: deep } }), 'calls'));
});

test('a call is never changed by planning', () => {
  const call = someCall();
  const before = structuredClone(call);
  MAPPING.plan(call, 'calls').settle({ x: 'y' });
  expect(call).toEqual(before);
});
