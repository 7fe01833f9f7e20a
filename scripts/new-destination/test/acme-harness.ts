/** The fake as the account of the conformance suite. */
import type { Harness, TestAccount, TroubleMoment } from '@wrapup/destination/conformance';
import { sampleField } from '@wrapup/destination/sample-plan';
import { acmeKind } from '../src/index.ts';
import { FakeAcme, type FakeRecord } from './fake-acme.ts';

/** The paths of the requests that a moment means. */
const MOMENTS: Record<TroubleMoment, RegExp> = {
  any: /./,
  // People of the fake have nothing that a call log could be linked to.
  related: /^\/read\/deals$/,
  'look-up': /^\/(?:search|read)\/people$/,
  search: /^\/search\/people$/,
  'create-person': /^\/create\/people$/,
  'update-person': /^\/update\/people$/,
  'create-call-log': /^\/create\/call_logs$/,
  'create-task': /^\/create\/tasks$/,
};

export const acmeHarness: Harness = {
  names: {
    call_log: 'call_logs',
    task: 'tasks',
    create_as: 'person',
    first_name: 'first_name',
    last_name: 'last_name',
    phone: 'phone',
    email: 'email',
    note: 'notes',
    owner: 'owner_id',
    title: 'title',
    subject: 'subject',
    call_log_extra: {},
    task_extra: {},
  },
  kinds: [
    {
      ...{ type: 'call_log', object: 'call_logs', required: {} },
      ...{ field: 'title', says: ['A call', 'The call'], colleague: 'Renewal talk' },
    },
    {
      ...{ type: 'task', object: 'tasks', required: {} },
      ...{ field: 'subject', says: ['Call back', 'Call back soon'], colleague: 'Done already' },
    },
  ],
  text: 'notes',
  flag: 'opted_out',
  counter: 'calls_made',
  poison: () => sampleField('happened_at', 'the day before yesterday', 'overwrite', 41),
  refusedField: () => sampleField('result', 'VANISHED', 'overwrite', 42),
  open: openAccount,
};

/** An account of its own, empty but for the fields that Wrapup needs. */
async function openAccount(): Promise<TestAccount> {
  const fake = await FakeAcme.start();
  const opened: { close(): Promise<void> }[] = [];
  return {
    async connect({ drop_refused_fields = true, timeout = 5_000 } = {}) {
      const on_refused_field = drop_refused_fields ? 'drop' : 'park';
      const settings = acmeKind.settings.parse({ token: fake.token, base_url: fake.url, timeout, on_refused_field });
      const destination = await acmeKind.connect('sales', settings);
      opened.push(destination);
      return destination;
    },
    async effects() {
      const all = (object: string) => (fake.records[object] ?? []).map(toEffect);
      return { people: all('people'), call_logs: all('call_logs'), tasks: all('tasks') };
    },
    addPeople: async (people) => people.map((fields) => fake.add('people', fields)),
    async owners() {
      const [one, other, gone] = fake.users;
      if (!one || !other || !gone) throw new Error('the fake has too few users');
      return { active: [one, other], gone };
    },
    async deletePerson(id) {
      fake.records.people = (fake.records.people ?? []).filter((person) => person.id !== id);
    },
    person: 'people',
    async change(object, id, values) {
      Object.assign(fake.records[object]?.find((one) => one.id === id)?.fields ?? {}, values);
    },
    async record(object, id) {
      const found = fake.records[object]?.find((one) => one.id === id);
      return found ? toEffect(found).properties : {};
    },
    trouble: (kind, moment, times = 1) => void fake.faults.push({ kind, path: MOMENTS[moment], times }),
    calm: () => {
      fake.faults = [];
    },
    searchSees: (everything) => {
      fake.visible = everything ? undefined : new Set((fake.records.people ?? []).map(({ id }) => id));
    },
    requests: () => fake.requests,
    async close() {
      for (const destination of opened) await destination.close();
      await fake.close();
    },
  };
}

function toEffect({ id, fields }: FakeRecord) {
  const known = Object.entries(fields).filter(([, value]) => value !== null);
  const properties = Object.fromEntries(known.map(([name, value]) => [name, String(value)]));
  return { id, properties, people: properties.person_id ? [properties.person_id] : [] };
}
