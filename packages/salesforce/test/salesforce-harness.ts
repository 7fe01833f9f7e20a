/** The sandbox's Salesforce as the account of tests. */

import { type Destination, makeMemoryCommons } from '@wrapup/destination';
import {
  type Effects,
  type Harness,
  planFor,
  type RelatedKind,
  type TestAccount,
  type Trouble,
  type TroubleMoment,
  type WorkedOnKind,
  write,
} from '@wrapup/destination/conformance';
import { compileSample } from '@wrapup/destination/sample-mapping';
import { type SampleCall, sampleField } from '@wrapup/destination/sample-plan';
import type { Plan } from '@wrapup/mapping';
import {
  type FaultKind,
  type FaultSpec,
  type Forms,
  type Partially,
  type SalesforceRecord,
  type SalesforceSandboxSettings,
  startSandbox,
} from '@wrapup/sandbox';
import { SALESFORCE_NAMES } from '../live/sample-names.ts';
import { salesforceDialect, salesforceKind } from '../src/index.ts';

type Sandbox = Awaited<ReturnType<typeof startSandbox>>;

const FAULTS: Record<Trouble, FaultKind> = {
  fails: 'status',
  hangs: 'hang',
  held: 'held',
  lost: 'commit_then_reset',
  unanswered: 'commit_then_hang',
  throttled: 'request_limit',
  'refused-token': 'unauthorized',
  'empty-success': 'empty_success',
};

const COLLECTION = '/composite/sobjects$';

const MOMENTS: Record<TroubleMoment, Pick<FaultSpec, 'object' | 'path' | 'method'>> = {
  any: {},
  // The second composite request of a plan: definitions come first.
  related: { path: '/composite$' },
  'look-up': { path: '/(?:search\\?|composite$)' },
  search: { path: '/search\\?' },
  'create-person': { method: 'POST', object: 'Lead', path: COLLECTION },
  'update-person': { method: 'PATCH', object: 'Lead', path: COLLECTION },
  'create-call-log': { method: 'POST', object: 'Task', path: COLLECTION },
  'create-task': { method: 'POST', object: 'Task', path: COLLECTION },
};

/** An org that answers in the forms of that year, and connections to it with these settings. */
export const harnessOf = (forms: Forms, connection: Record<string, unknown> = {}): Harness => ({
  ...salesforceHarness,
  open: (step) => openAccount({ forms }, { provisioned: step !== 'map', connection }),
});

const kind = (type: string, object: string, required: WorkedOnKind['required'] = {}) => ({ type, object, required });

export const salesforceHarness: Harness = {
  names: SALESFORCE_NAMES,
  after_person: true,
  kinds: [
    {
      ...kind('call_log', 'Task'),
      ...{ field: 'CallDisposition', says: ['Connected', 'Busy'], colleague: 'Wrong number' },
    },
    {
      ...kind('task', 'Task', { Subject: 'A task' }),
      ...{ field: 'Status', says: ['Not Started', 'In Progress'], colleague: 'Completed' },
    },
    {
      ...kind('event', 'Event', {
        Subject: 'A visit',
        StartDateTime: '2026-12-01T09:00:00.000Z',
        DurationInMinutes: 30,
      }),
      ...{ field: 'Location', says: ['Room 1', 'Room 2'], colleague: 'At the customer' },
    },
    {
      ...kind('opportunity', 'Opportunity', { Name: 'A renewal', CloseDate: '2026-12-31' }),
      ...{
        findable: true,
        closes: true,
        found_by: 'NextStep',
        field: 'StageName',
        says: ['Prospecting', 'Qualification'],
        colleague: 'Closed Won',
      },
    },
    {
      ...kind('case', 'Case', { Subject: 'A case' }),
      ...{
        findable: true,
        closes: true,
        found_by: 'SuppliedName',
        field: 'Status',
        says: ['New', 'Working'],
        colleague: 'Closed',
      },
    },
    {
      ...kind('account', 'Account', { Name: 'Acme Inc' }),
      ...{ field: 'Description', says: ['Makes anvils', 'Sells anvils'], colleague: 'Our best customer' },
    },
    {
      ...kind('object', 'Inspection__c'),
      ...{
        findable: true,
        found_by: 'Place__c',
        field: 'Topic__c',
        says: ['Renewal', 'Price'],
        colleague: 'Complaint',
      },
    },
    {
      ...kind('object', 'Asset', { Name: 'A machine' }),
      ...{ findable: true, field: 'Status', says: ['Shipped', 'Installed'], colleague: 'Obsolete' },
    },
  ],
  related: relatedCases(),
  text: 'Wrapup_Notes__c',
  flag: 'Wrapup_Opted_Out__c',
  counter: 'Wrapup_Calls_Made__c',
  poison: () => sampleField('Status', 'The day before yesterday', 'overwrite', 41),
  refusedField: () => sampleField('CallType', 'VANISHED', 'overwrite', 42),
  open: (step) => openAccount({}, { provisioned: step !== 'map' }),
  // Without any custom field of ours: keys stand in CallObject, people are known by number and address.
  ladder: ['map'],
};

export interface SalesforceAccount extends TestAccount {
  sandbox: Sandbox;
  /** Requests by operation since the last time. Tokens are none that an org counts. */
  operations(): string[];
  /** @param options further settings of the connection among them */
  connect(
    options?: { drop_refused_fields?: boolean; timeout?: number } & Record<string, unknown>,
  ): Promise<Destination>;
  /** Settings of a connection to it. */
  settings(changes?: Record<string, unknown>): ReturnType<typeof salesforceKind.settings.parse>;
}

/** The plan that a mapping gives for a call of the sample. */
export function mapped(text: string, call: SampleCall, changes: Partial<Plan['call']> = {}): Plan {
  return compileSample(salesforceDialect, text).plan(
    { ...planFor(salesforceHarness, call).call, ...changes },
    'sample',
  );
}

/** A provisioned org in a sandbox of its own; every write is searchable at once unless a test says otherwise. */
export async function openAccount(
  changes: Partially<SalesforceSandboxSettings> = {},
  { provisioned = true, connection = {} }: { provisioned?: boolean; connection?: Record<string, unknown> } = {},
): Promise<SalesforceAccount> {
  const sandbox = await startSandbox({
    port: 0,
    provisioned,
    settings: { salesforce: { search_lag: 0, duplicate_rules: 'off', ...changes } },
  });
  const custom = [
    { name: 'Wrapup_Notes__c', type: 'textarea', length: 32_000 },
    { name: 'Wrapup_Opted_Out__c', type: 'boolean' },
    { name: 'Wrapup_Calls_Made__c', type: 'double' },
  ] as const;
  const key = { name: 'Wrapup_Key__c', type: 'string', length: 255, unique: true, external_id: true } as const;
  const topic = { name: 'Topic__c', type: 'string', length: 80 } as const;
  const place = { ...topic, name: 'Place__c' } as const;
  sandbox.control.seed({ salesforce: { custom_objects: [{ name: 'Inspection__c', fields: [key, topic, place] }] } });
  sandbox.control.seed({ salesforce: { fields: { Lead: [...custom], Contact: [...custom], Asset: [key] } } });
  const opened: { close(): Promise<void> }[] = [];
  const counted = () =>
    sandbox.control.requests().requests.flatMap(({ operation }) => (operation === 'oauth/token' ? [] : [operation]));
  let seen = 0;
  const settings = (more: Record<string, unknown> = {}) =>
    salesforceKind.settings.parse({
      base_url: sandbox.salesforceUrl,
      client_id: 'sandbox-consumer-key',
      client_secret: 'sandbox-consumer-secret',
      ...connection,
      ...more,
    });
  return {
    sandbox,
    settings,
    async connect({ drop_refused_fields = true, timeout = 20_000, ...more } = {}) {
      const destination = await salesforceKind.connect(
        'service',
        settings({ timeout, on_refused_field: drop_refused_fields ? 'drop' : 'park', ...more }),
      );
      opened.push(destination);
      return destination;
    },
    async effects(): Promise<Effects> {
      const people = [...sandbox.salesforce.records('Contact'), ...sandbox.salesforce.records('Lead')];
      const tasks = sandbox.salesforce.records('Task').map(toRecord);
      const isCall = ({ properties }: { properties: Record<string, string | undefined> }) =>
        properties.TaskSubtype === 'Call';
      return {
        people: people.map(toRecord),
        call_logs: tasks.filter(isCall),
        tasks: tasks.filter((task) => !isCall(task)),
      };
    },
    async addPeople(people) {
      const records = people.map(({ phone, email, first_name }) => ({
        LastName: '[not provided]',
        Company: '[not provided]',
        ...(phone ? { Phone: phone } : {}),
        ...(email ? { Email: email } : {}),
        ...(first_name ? { FirstName: first_name } : {}),
      }));
      return sandbox.control.seed({ salesforce: { records: { Lead: records } } }).Lead ?? [];
    },
    async owners() {
      const users = sandbox.salesforce.records('User').map(({ id, fields }) => ({
        id,
        email: String(fields.Email),
        active: fields.IsActive === true,
      }));
      const [ada, ben] = users.filter(({ active, id }) => active && id !== sandbox.salesforce.userId);
      const gone = users.find(({ active }) => !active);
      if (!ada || !ben || !gone) throw new Error('the sandbox has too few users');
      return { active: [ada, ben], gone };
    },
    async deletePerson(id) {
      const response = await fetch(`${sandbox.salesforceUrl}/services/data/v66.0/sobjects/Lead/${id}`, {
        method: 'DELETE',
        headers: { authorization: `Bearer ${sandbox.salesforce.token()}` },
      });
      if (!response.ok) throw new Error(`could not delete lead ${id}: ${response.status}`);
    },
    person: 'Lead',
    async change(object, id, values) {
      // A checkbox takes no text.
      const typed = Object.entries(values).map(([name, value]) => [
        name,
        name === 'Wrapup_Opted_Out__c' ? value === 'true' : value,
      ]);
      const response = await fetch(`${sandbox.salesforceUrl}/services/data/v66.0/sobjects/${object}/${id}`, {
        method: 'PATCH',
        headers: { authorization: `Bearer ${sandbox.salesforce.token()}`, 'content-type': 'application/json' },
        body: JSON.stringify(Object.fromEntries(typed)),
      });
      if (!response.ok) throw new Error(`could not change ${object} ${id}: ${await response.text()}`);
    },
    record: async (object, id) => {
      const record = sandbox.salesforce.records(object).find((one) => one.id === id);
      return record ? toRecord(record).properties : {};
    },
    trouble: (kind, moment, times = 1) => {
      // Call log and task are rows of one request, which fail each on its own.
      if (kind === 'fails' && moment === 'create-task')
        return void sandbox.control.fault({
          api: 'salesforce',
          kind: 'row_error',
          row: 'Call back',
          code: 'UNKNOWN_EXCEPTION',
          path: COLLECTION,
          times,
        });
      sandbox.control.fault({ api: 'salesforce', kind: FAULTS[kind], ...MOMENTS[moment], times });
    },
    calm: () => sandbox.control.clearFaults(),
    searchSees: (everything) => {
      sandbox.control.settings({ salesforce: { search_lag: everything ? 0 : 600_000 } });
    },
    requests: () => counted().length,
    operations() {
      const all = counted();
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

/** An org of which all that a write asks is known, and a connection that sends people and their records in one request. */
export async function openComposite(
  changes?: Parameters<typeof openAccount>[0],
  { provisioned = true }: { provisioned?: boolean } = {},
) {
  const account = await openAccount(changes, { provisioned, connection: { composite: true } });
  const commons = makeMemoryCommons();
  const destination = await account.connect();
  await write(destination, [planFor(salesforceHarness, { id: 'first', phone: '+14155550100' })], commons);
  account.operations();
  return { account, commons, destination };
}

function toRecord({ id, fields }: SalesforceRecord) {
  const properties = Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, String(value)]));
  return { id, properties, people: properties.WhoId ? [properties.WhoId] : [] };
}

/** Cases of a contact. The account of a test is one of ours, with its sandbox. */
function relatedCases(): RelatedKind {
  const sandboxOf = (account: TestAccount) => (account as SalesforceAccount).sandbox;
  return {
    word: 'open_cases',
    object: 'Case',
    async add(account, phone, email) {
      const { control } = sandboxOf(account);
      const contact = { LastName: 'Known', Phone: phone, ...(email ? { Email: email } : {}) };
      const { Contact: [person = ''] = [] } = control.seed({ salesforce: { records: { Contact: [contact] } } });
      const cases = ['New', 'Closed'].map((Status) => ({ ContactId: person, Subject: 'A case', Status }));
      const { Case: [open = ''] = [] } = control.seed({ salesforce: { records: { Case: cases } } });
      return { person, open };
    },
    async linked(account, id) {
      const { WhatId } = await account.record('Task', id);
      return WhatId ? [WhatId] : [];
    },
    async unlink(account, id) {
      await account.change('Task', id, { WhatId: '' });
    },
  };
}
