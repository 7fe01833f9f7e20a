import { hubspotKind } from '@wrapup/hubspot';
import { type CompiledMapping, compileMapping, type Plan } from '@wrapup/mapping';
import { normalise, samplePayload } from '@wrapup/synthflow';
import { describe, expect, it } from 'vitest';
import { countDifferences, diffPlans } from '../src/workbench/diff-plans.ts';

const CALL = normalise(samplePayload('connected'), { source: 'main', default_country: 'US' });

function planOf(text: string): Plan {
  const made = compileMapping({ name: 'm.yaml', text, dialect: hubspotKind.dialect, readFile: () => undefined });
  if (!made.mapping) throw new Error(JSON.stringify(made.findings));
  return (made.mapping as CompiledMapping).plan(CALL, 'sales-calls');
}

const BEFORE = `
person: { match: [phone], unmatched: create, fields: { city: vars.topic, jobtitle: { from: vars.topic, write: if_empty } } }
call_log: { title: Call }
tasks: [{ name: follow-up, subject: Ring back, due_in: 1 day }]
`;

/** Lines that differ, by record and name. */
function differences(after: string, before: string | undefined = BEFORE) {
  const records = diffPlans(before === undefined ? undefined : planOf(before), planOf(after));
  const lines = records.flatMap(({ name, lines: all }) =>
    all.filter(({ difference }) => difference !== 'same').map((line) => `${line.difference} ${name}.${line.name}`),
  );
  expect(countDifferences(records)).toBe(lines.length);
  return { lines, records: records.map(({ name, difference }) => `${difference} ${name}`) };
}

describe('two plans of one call', () => {
  it('do not differ by where a line stands, nor by comments', () => {
    expect(differences(`# moved down\n\n${BEFORE}`)).toEqual({
      lines: [],
      records: ['same person', 'same call_log', 'same follow-up'],
    });
  });

  it.each([
    ['a value', BEFORE.replace('city: vars.topic', 'city: vars.budget'), ['changed person.city']],
    ['how it is written', BEFORE.replace('if_empty', 'overwrite'), ['changed person.jobtitle']],
    ['a field more', BEFORE.replace('fields: {', 'fields: { website: { value: x },'), ['new person.website']],
    ['a field less', BEFORE.replace('city: vars.topic, ', ''), ['gone person.city']],
    [
      'how the person is looked for',
      BEFORE.replace('match: [phone]', 'match: [email, phone]'),
      ['changed person.looked for by'],
    ],
    [
      'what happens if there is none',
      BEFORE.replace('unmatched: create', 'unmatched: log_only'),
      ['changed person.if not found'],
    ],
    [
      'what it is linked to',
      BEFORE.replace('due_in: 1 day', 'due_in: 1 day, associate: [person, call_log]'),
      ['changed follow-up.linked to'],
    ],
  ])('differ by %s', (_what, after, lines) => {
    expect(differences(after).lines).toEqual(lines);
  });

  it('differ by a record that is new, and by one that is gone', () => {
    const other = BEFORE.replace('name: follow-up', 'name: other');
    expect(differences(other).records).toEqual(['same person', 'same call_log', 'new other', 'gone follow-up']);
    expect(differences('call_log: { title: Call }\n').records).toEqual([
      'changed call_log',
      'gone person',
      'gone follow-up',
    ]);
  });

  it('differ by nothing where there is nothing to compare with', () => {
    const { lines } = { lines: diffPlans(undefined, planOf(BEFORE)).filter(({ difference }) => difference !== 'same') };
    expect(lines).toEqual([]);
  });
});
