/** What no page of Salesforce's documentation settles, asked of a real org one by one. */
import { asList, asObject, asText } from '@wrapup/destination/http';
import { brief, type Raw } from './raw.ts';

export interface Question {
  asks: string;
  /** What the sandbox answers: where an org answers otherwise, a rule of the sandbox is wrong. */
  sandbox: RegExp;
  /** @param run names this run */
  answer(raw: Raw, run: string): Promise<string>;
}

const lead = (run: string, more: object = {}) => ({ LastName: `Live ${run}`, Company: 'Wrapup live run', ...more });

export const QUESTIONS: Question[] = [
  {
    asks: 'How is what a duplicate rule found spelt in a row of a collection?',
    sandbox: /^200 \(DUPLICATES_DETECTED\), under no key of that name$|^no duplicate rule stopped the second one$/,
    async answer(raw, run) {
      const twin = {
        attributes: { type: 'Lead' },
        ...lead(`${run} twin`, { FirstName: 'Live', Email: `live-${run}@example.com` }),
      };
      const answer = await raw.ask('POST', '/composite/sobjects', { allOrNone: false, records: [twin] });
      for (const row of asList(answer.body)) raw.note(asObject(row).id);
      const again = await raw.ask('POST', '/composite/sobjects', { allOrNone: false, records: [twin] });
      const [row] = asList(again.body).map(asObject);
      raw.note(row?.id);
      if (row?.success === true) return 'no duplicate rule stopped the second one';
      const error = asObject(asList(row?.errors)[0]);
      const where = [...Object.keys(row ?? {}), ...Object.keys(error).map((key) => `errors[0].${key}`)];
      return `${brief(again)}, under ${where.filter((key) => /duplicate/i.test(key)).join(', ') || 'no key of that name'}`;
    },
  },
  {
    asks: 'Can a task be upserted by an external id that stands on Activity?',
    sandbox: /^one 201, repeated 200, as a collection 200 \(ok\)$/,
    async answer(raw, run) {
      const path = `/sobjects/Task/Wrapup_Call_Id__c/${encodeURIComponent(`live:${run}:q1`)}`;
      const first = await raw.ask('PATCH', path, { Subject: 'Live', TaskSubtype: 'Call' });
      raw.note(asObject(first.body).id);
      const again = await raw.ask('PATCH', path, { Subject: 'Live again' });
      const rows = {
        allOrNone: false,
        records: [{ attributes: { type: 'Task' }, Wrapup_Call_Id__c: `live:${run}:q1`, Subject: 'Once more' }],
      };
      const collection = await raw.ask('PATCH', '/composite/sobjects/Task/Wrapup_Call_Id__c', rows);
      return `one ${brief(first)}, repeated ${brief(again)}, as a collection ${brief(collection)}`;
    },
  },
  {
    asks: 'What does a collection say whose rows name one key twice?',
    sandbox: /^200 \(ok, DUPLICATE_VALUE\)$/,
    async answer(raw, run) {
      const row = { attributes: { type: 'Lead' }, ...lead(`${run} twice`), Wrapup_Key__c: `live:${run}:twice` };
      const body = { allOrNone: false, records: [row, row] };
      const answer = await raw.ask('PATCH', '/composite/sobjects/Lead/Wrapup_Key__c', body);
      for (const one of asList(answer.body)) raw.note(asObject(one).id);
      return brief(answer);
    },
  },
  {
    asks: 'Can a task name its lead by the lead’s external id?',
    sandbox: /^200 \(ok\)$/,
    async answer(raw, run) {
      await raw.create('Lead', lead(run, { Wrapup_Key__c: `live:${run}:q2` }));
      const records = [
        {
          attributes: { type: 'Task' },
          Subject: 'Live',
          Who: { attributes: { type: 'Lead' }, Wrapup_Key__c: `live:${run}:q2` },
        },
      ];
      const answer = await raw.ask('POST', '/composite/sobjects', { allOrNone: false, records });
      for (const row of asList(answer.body)) raw.note(asObject(row).id);
      return brief(answer);
    },
  },
  {
    asks: 'May TaskSubtype be updated?',
    sandbox: /updateable false; an update answers 400 INVALID_FIELD_FOR_INSERT_UPDATE$/,
    async answer(raw) {
      const { body } = await raw.ask('GET', '/sobjects/Task/describe');
      const field = asList(asObject(body).fields)
        .map(asObject)
        .find(({ name }) => name === 'TaskSubtype');
      const said = field
        ? `describe says createable ${field.createable}, updateable ${field.updateable}`
        : 'the user does not see the field';
      const id = await raw.create('Task', { Subject: 'Live' });
      return `${said}; an update answers ${brief(await raw.ask('PATCH', `/sobjects/Task/${id}`, { TaskSubtype: 'Call' }))}`;
    },
  },
  {
    asks: 'Can a collection refer to a row of another one within a composite request?',
    sandbox: /^people 200 \(ok\); tasks 200 \(ok\)$/,
    async answer(raw, run) {
      const people = { allOrNone: false, records: [{ attributes: { type: 'Lead' }, ...lead(`${run} q4`) }] };
      const tasks = {
        allOrNone: false,
        records: [{ attributes: { type: 'Task' }, Subject: 'Live', WhoId: '@{people[0].id}' }],
      };
      const answers = await raw.composite({
        people: { method: 'POST', path: '/composite/sobjects', body: people },
        tasks: { method: 'POST', path: '/composite/sobjects', body: tasks },
      });
      for (const { body } of answers.values()) for (const row of asList(body)) raw.note(asObject(row).id);
      return [...answers].map(([name, answer]) => `${name} ${brief(answer)}`).join('; ');
    },
  },
  {
    asks: 'What becomes of a row that refers to a row which failed?',
    sandbox: /^people 200 \(ok, REQUIRED_FIELD_MISSING\); both 400 PROCESSING_HALTED; good 200 \(ok\); linked 1 of 1$/,
    async answer(raw, run) {
      const people = [lead(`${run} q5`), { Company: 'Wrapup live run' }].map((fields) => ({
        attributes: { type: 'Lead' },
        ...fields,
      }));
      const tasks = (...numbers: number[]) => ({
        allOrNone: false,
        records: numbers.map((n) => ({ attributes: { type: 'Task' }, Subject: 'Live', WhoId: `@{people[${n}].id}` })),
      });
      const answers = await raw.composite({
        people: { method: 'POST', path: '/composite/sobjects', body: { allOrNone: false, records: people } },
        both: { method: 'POST', path: '/composite/sobjects', body: tasks(0, 1) },
        good: { method: 'POST', path: '/composite/sobjects', body: tasks(0) },
      });
      const idsOf = (name: string) => asList(answers.get(name)?.body).flatMap((row) => asText(asObject(row).id) || []);
      for (const name of answers.keys()) for (const id of idsOf(name)) raw.note(id);
      const made = [...idsOf('both'), ...idsOf('good')];
      const soql = encodeURIComponent(`SELECT WhoId FROM Task WHERE Id IN ('${made.join("','")}')`);
      const { body } = await raw.ask('GET', `/query?q=${soql}`);
      const linked = asList(asObject(body).records).filter((row) => asText(asObject(row).WhoId) === idsOf('people')[0]);
      const said = [...answers].map(([name, answer]) => `${name} ${brief(answer)}`);
      return [...said, `linked ${linked.length} of ${made.length}`].join('; ');
    },
  },
  {
    asks: 'Is /search allowed in a composite request?',
    sandbox: /^404 NOT_FOUND$/,
    async answer(raw) {
      const q = encodeURIComponent('FIND {4155550142} IN PHONE FIELDS RETURNING Lead(Id)');
      const answers = await raw.composite({ search: { method: 'GET', path: `/search?q=${q}` } });
      return [...answers.values()].map(brief).join();
    },
  },
  {
    asks: 'Is a number taken as a text, and a check box as one?',
    sandbox: /^number as a text 400 JSON_PARSER_ERROR; check box as a text 400 JSON_PARSER_ERROR$/,
    async answer(raw, run) {
      const number = await raw.ask('POST', '/sobjects/Task', { Subject: `Live ${run}`, CallDurationInSeconds: '61' });
      const box = await raw.ask('POST', '/sobjects/Lead', lead(`${run} box`, { HasOptedOutOfEmail: 'true' }));
      for (const { body } of [number, box]) raw.note(asObject(body).id);
      return `number as a text ${brief(number)}; check box as a text ${brief(box)}`;
    },
  },
  {
    asks: 'May a task of a lead relate to something else?',
    sandbox: /^400 FIELD_INTEGRITY_EXCEPTION$/,
    async answer(raw, run) {
      const who = await raw.create('Lead', lead(`${run} q7`));
      const what = await raw.create('Account', { Name: `Live ${run}` });
      const answer = await raw.ask('POST', '/sobjects/Task', { Subject: 'Live', WhoId: who, WhatId: what });
      raw.note(asObject(answer.body).id);
      return brief(answer);
    },
  },
];

/** True for orgs that are there to be tried in. */
export async function isForTrying(raw: Raw): Promise<{ ok: boolean; type: string }> {
  const soql = encodeURIComponent('SELECT OrganizationType, IsSandbox FROM Organization');
  const { body } = await raw.ask('GET', `/query?q=${soql}`);
  const [org] = asList(asObject(body).records).map(asObject);
  const type = asText(org?.OrganizationType) || 'of unknown type';
  return { ok: org?.IsSandbox === true || type === 'Developer Edition', type };
}
