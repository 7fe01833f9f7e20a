/** The sandbox's HubSpot as the account of tests. */
import {
  type Effects,
  type Harness,
  type LowerStep,
  planFor,
  type RelatedKind,
  type TestAccount,
  type Trouble,
  type TroubleMoment,
  type WorkedOnKind,
} from '@wrapup/destination/conformance';
import { compileSample } from '@wrapup/destination/sample-mapping';
import { SAMPLE_PLACE, type SampleCall, sampleField } from '@wrapup/destination/sample-plan';
import type { CompiledMapping, OwnerStep, Plan } from '@wrapup/mapping';
import { type FaultKind, type FaultSpec, type Forms, type RecordState, startSandbox } from '@wrapup/sandbox';
import { hubspotDialect, hubspotKind } from '../src/index.ts';

const FAULTS: Record<Trouble, FaultKind> = {
  fails: 'status',
  hangs: 'hang',
  held: 'held',
  lost: 'commit_then_reset',
  unanswered: 'commit_then_hang',
  throttled: 'ten_secondly',
  'refused-token': 'unauthorized',
  'empty-success': 'empty_success',
};

const MOMENTS: Record<TroubleMoment, Pick<FaultSpec, 'object' | 'path'>> = {
  any: {},
  related: { object: 'contacts', path: '/contacts/[a-z]+/batch/read$' },
  'look-up': { object: 'contacts', path: '/(?:search|batch/read)$' },
  search: { object: 'contacts', path: '/search$' },
  'create-person': { object: 'contacts', path: '/batch/(?:create|upsert)$' },
  'update-person': { object: 'contacts', path: '/batch/update$' },
  'create-call-log': { object: 'calls', path: '/batch/(?:create|upsert)$' },
  'create-task': { object: 'tasks', path: '/batch/(?:create|upsert)$' },
};

const TOKEN = 'pat-na1-test';

/** An account that answers in the forms of that year, in the version of the API that was spoken then. */
export const harnessOf = (forms: Forms): Harness => ({
  ...hubspotHarness,
  open: (step) => openAccount(step, forms),
});

const kind = (type: string, object: string, required: WorkedOnKind['required'] = {}) => ({ type, object, required });

export const hubspotHarness: Harness = {
  names: {
    call_log: 'calls',
    task: 'tasks',
    create_as: 'contact',
    first_name: 'firstname',
    last_name: 'lastname',
    phone: 'phone',
    email: 'email',
    note: 'message',
    owner: 'hubspot_owner_id',
    title: 'hs_call_title',
    subject: 'hs_task_subject',
    call_log_extra: { hs_call_direction: 'OUTBOUND' },
    task_extra: { hs_timestamp: '2026-11-25T09:00:00.000Z' },
  },
  kinds: [
    { ...kind('call_log', 'calls'), field: 'hs_call_title', says: ['A call', 'The call'], colleague: 'Renewal talk' },
    {
      ...kind('task', 'tasks', { hs_timestamp: '2026-11-25T09:00:00.000Z' }),
      ...{ field: 'hs_task_status', says: ['NOT_STARTED', 'IN_PROGRESS'], colleague: 'COMPLETED' },
    },
    {
      ...kind('note', 'notes', { hs_timestamp: '2026-11-25T09:00:00.000Z' }),
      ...{ field: 'hs_note_body', says: ['<strong>One</strong><br>two', 'Three'], colleague: 'By hand' },
    },
    {
      ...kind('meeting', 'meetings', { hs_timestamp: '2026-11-25T09:00:00.000Z' }),
      ...{ field: 'hs_meeting_outcome', says: ['SCHEDULED', 'RESCHEDULED'], colleague: 'COMPLETED' },
    },
    {
      ...kind('company', 'companies', { domain: 'acme.example' }),
      ...{ field: 'description', says: ['Makes anvils', 'Sells anvils'], colleague: 'Our best customer' },
    },
    {
      ...kind('deal', 'deals', { dealname: 'A deal', pipeline: 'default' }),
      ...{
        findable: true,
        closes: true,
        found_by: 'description',
        field: 'dealstage',
        says: ['qualifiedtobuy', 'presentationscheduled'],
        colleague: 'closedwon',
      },
    },
    {
      ...kind('ticket', 'tickets', { subject: 'A ticket', hs_pipeline: '0' }),
      ...{
        findable: true,
        closes: true,
        found_by: 'content',
        field: 'hs_pipeline_stage',
        says: ['1', '2'],
        colleague: '4',
      },
    },
    {
      ...kind('object', '2-4799'),
      ...{
        findable: true,
        found_by: 'wrapup_place',
        field: 'wrapup_topic',
        says: ['Renewal', 'Price'],
        colleague: 'Complaint',
      },
    },
    {
      ...kind('object', 'leads', { hs_lead_name: 'A lead' }),
      ...{ findable: true, field: 'hs_lead_label', says: ['COLD', 'WARM'], colleague: 'HOT' },
    },
  ],
  related: relatedDeals(),
  text: 'wrapup_notes',
  flag: 'wrapup_opted_out',
  counter: 'wrapup_calls_made',
  poison: () => sampleField('hs_timestamp', 'the day before yesterday', 'overwrite', 41),
  refusedField: () => sampleField('hs_call_status', 'VANISHED', 'overwrite', 42),
  open: (step) => openAccount(step),
  ladder: ['read', 'map'],
};

export function compiled(text: string): CompiledMapping {
  return compileSample(hubspotDialect, text);
}

/** The plan that a mapping gives for a call of the sample. @param vars what the agent collected */
export function mapped(text: string, call: SampleCall, vars: Record<string, string> = {}): Plan {
  return compiled(text).plan({ ...planFor(hubspotHarness, call).call, vars }, 'sample');
}

interface RecordOfTest {
  object: string;
  id: string;
}

export interface HubSpotAccount extends TestAccount {
  sandbox: Awaited<ReturnType<typeof startSandbox>>;
  /** Requests since the last time, by object and operation. */
  operations(): string[];
  /** Changes links as a colleague does. */
  link(from: RecordOfTest, to: RecordOfTest): Promise<void>;
  unlink(from: RecordOfTest, to: RecordOfTest): Promise<void>;
}

/** A provisioned account in a sandbox of its own; every write is searchable at once unless a test says otherwise. */
export async function openAccount(step?: LowerStep, forms: Forms = 2026): Promise<HubSpotAccount> {
  const sandbox = await startSandbox({
    port: 0,
    provisioned: step !== 'map',
    // Tests of what a quota does set it themselves.
    settings: {
      hubspot: {
        forms,
        search_lag: 0,
        limits: { ten_secondly: null, daily: null, search_per_second: null },
        no_upsert: step === 'read' ? ['contacts', 'calls', 'tasks'] : [],
        revoked_scopes: step === 'map' ? ['crm.schemas.contacts.write'] : [],
      },
    },
  });
  const key = { name: 'wrapup_key', type: 'string', fieldType: 'text', hasUniqueValue: true };
  sandbox.control.seed({
    objects: ['leads'],
    custom_objects: [{ id: '2-4799', name: 'inspections' }],
    properties: {
      leads: [key],
      '2-4799': [key, ...['wrapup_topic', 'wrapup_place'].map((name) => ({ name, type: 'string', fieldType: 'text' }))],
      contacts: [
        { name: 'wrapup_notes', type: 'string', fieldType: 'textarea' },
        { name: 'wrapup_calls_made', type: 'number', fieldType: 'number' },
        {
          name: 'wrapup_opted_out',
          type: 'bool',
          fieldType: 'booleancheckbox',
          options: [
            { label: 'Yes', value: 'true' },
            { label: 'No', value: 'false' },
          ],
        },
      ],
    },
  });
  const opened: { close(): Promise<void> }[] = [];
  let seen = 0;
  /** Requests of a colleague, who may do all of it. */
  const byHand = async (method: string, path: string, body?: object) => {
    const response = await fetch(`${sandbox.hubspotUrl}${path}`, {
      method,
      headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
  };
  return {
    sandbox,
    async connect({ drop_refused_fields = true, timeout = 5000 } = {}) {
      const settings = hubspotKind.settings.parse({
        access_token: TOKEN,
        base_url: sandbox.hubspotUrl,
        api_version: forms < 2026 ? 'v3' : '2026-09',
        timeout,
        on_refused_field: drop_refused_fields ? 'drop' : 'park',
        ...(step === 'map' ? { without_key: 'id_map' } : {}),
      });
      const destination = await hubspotKind.connect('sales', settings);
      opened.push(destination);
      return destination;
    },
    async effects(): Promise<Effects> {
      return {
        people: sandbox.records('contacts').map(({ id, properties }) => ({ id, properties })),
        call_logs: sandbox.records('calls').map(toRecord),
        tasks: sandbox.records('tasks').map(toRecord),
      };
    },
    async addPeople(people) {
      const records = people.map(({ phone, email, first_name }) => ({
        properties: {
          ...(phone ? { phone } : {}),
          ...(email ? { email } : {}),
          ...(first_name || !email ? { firstname: first_name ?? 'Someone' } : {}),
        },
      }));
      return sandbox.control.seed({ records: { contacts: records } }).contacts ?? [];
    },
    owners: async () => ({
      active: [
        { id: '71000001', email: 'ada.owner@example.com' },
        { id: '71000002', email: 'ben.seller@example.com' },
      ],
      gone: { id: '71000003', email: 'gone.seller@example.com' },
    }),
    deletePerson: (id) => byHand('DELETE', `/crm/v3/objects/contacts/${id}`),
    person: 'contacts',
    change: (object, id, properties) => byHand('PATCH', `/crm/v3/objects/${object}/${id}`, { properties }),
    link: ({ object, id }, to) =>
      byHand('POST', `/crm/v4/associations/${object}/${to.object}/batch/associate/default`, {
        inputs: [{ from: { id }, to: { id: to.id } }],
      }),
    unlink: ({ object, id }, to) =>
      byHand('DELETE', `/crm/v4/objects/${object}/${id}/associations/${to.object}/${to.id}`),
    record: async (object, id) => sandbox.records(object).find((one) => one.id === id)?.properties ?? {},
    trouble: (kind, moment, times = 1) => {
      sandbox.control.fault({ kind: FAULTS[kind], ...MOMENTS[moment], times });
    },
    calm: () => sandbox.control.clearFaults(),
    searchSees: (everything) => {
      sandbox.control.settings({ hubspot: { search_lag: everything ? 0 : 600_000 } });
    },
    requests: () => sandbox.control.requests().total,
    operations() {
      const all = sandbox.control.requests().requests.map(({ object, operation }) => `${object} ${operation}`);
      const since = all.slice(seen);
      seen = all.length;
      return since;
    },
    async close() {
      for (const destination of opened) await destination.close();
      await sandbox.close();
    },
  };
}

/** The plan with its records given to an owner, and the person as well where that is asked for. */
export function givenTo(plan: Plan, steps: OwnerStep[], ofPerson = false): Plan {
  const owner = { property: 'hubspot_owner_id', steps, at: SAMPLE_PLACE };
  const person = plan.person && (ofPerson ? { ...plan.person, owner } : plan.person);
  return { ...plan, person, records: plan.records.map((record) => ({ ...record, owner })) };
}

/** Deals of a contact. The account of a test is one of ours, with its sandbox. */
function relatedDeals(): RelatedKind {
  const own = (account: TestAccount) => account as HubSpotAccount;
  const deal = (dealstage: string) => ({
    properties: { dealname: 'A deal', dealstage },
    associations: { contacts: ['#0'] },
  });
  return {
    word: 'open_deals',
    object: 'deals',
    async add(account, phone, email) {
      const contact = { properties: { firstname: 'Ada', phone, ...(email ? { email } : {}) } };
      const records = { contacts: [contact], deals: [deal('contractsent'), deal('closedwon')] };
      const { contacts = [], deals = [] } = own(account).sandbox.control.seed({ records });
      return { person: contacts[0] ?? '', open: deals[0] ?? '' };
    },
    async linked(account, id) {
      const log = own(account)
        .sandbox.records('calls')
        .find((one) => one.id === id);
      return log?.associations.deals ?? [];
    },
    unlink: (account, id, deal) => own(account).unlink({ object: 'calls', id }, { object: 'deals', id: deal }),
  };
}

function toRecord({ id, properties, associations }: RecordState) {
  return { id, properties, people: associations.contacts ?? [] };
}
