/** What a CRM holds after a run, by the sandbox's own record of effects, said alike for both vendors. */
import type { RunningSandbox } from '@wrapup/sandbox';

type JournalEntry = ReturnType<RunningSandbox['journal']>[number];

export interface CrmView {
  name: string;
  /** Call logs that are there, by key. */
  logs: Map<string, number>;
  /** Call logs that ever came into being, by key, whatever became of them afterwards. */
  created: Map<string, number>;
  /** Tasks by key. */
  tasks: Map<string, number>;
  /** People by number. */
  people: Map<string, number>;
  /** Numbers of the people with whom each call log is, by its key. */
  callers: Map<string, string[]>;
  /** Whether a call that asks for a call-back, and no other, leaves a task here. */
  hasCallBacks: boolean;
}

export function viewHubSpot({ records, journal }: RunningSandbox): CrmView {
  const logs = records('calls');
  const contacts = records('contacts');
  const numberOf = ({ phone, mobilephone }: Record<string, string | null>) => phone ?? mobilephone ?? '';
  const numbers = new Map(contacts.map(({ id, properties }) => [id, numberOf(properties)]));
  return {
    name: 'HubSpot',
    logs: count(logs.map(({ properties }) => properties.wrapup_call_id)),
    created: createdOf(journal(), 'calls', 'wrapup_call_id'),
    tasks: count(records('tasks').map(({ properties }) => properties.wrapup_key)),
    people: count(numbers.values()),
    callers: new Map(
      logs.map(({ properties, associations: { contacts: with_whom = [] } }) => [
        properties.wrapup_call_id ?? '',
        with_whom.map((id) => numbers.get(id) ?? 'a person who is gone'),
      ]),
    ),
    hasCallBacks: true,
  };
}

/** Its key field of activities. */
const KEY = 'Wrapup_Call_Id__c';

export function viewSalesforce({ salesforce }: RunningSandbox): CrmView {
  const tasks = salesforce.records('Task').map(({ fields }) => fields);
  const numbers = new Map(salesforce.records('Lead').map(({ id, fields }) => [id, String(fields.Phone ?? '')]));
  const isLog = (fields: (typeof tasks)[number]) => fields.TaskSubtype === 'Call' && fields.Status === 'Completed';
  const keyOf = (fields: (typeof tasks)[number]) => String(fields[KEY] ?? '');
  const logs = tasks.filter(isLog);
  return {
    name: 'Salesforce',
    logs: count(logs.map(keyOf)),
    // Logs and tasks are one object there; their keys are not.
    created: createdOf(salesforce.journal(), 'Task', KEY),
    tasks: count(tasks.filter((fields) => !isLog(fields)).map(keyOf)),
    people: count(numbers.values()),
    callers: new Map(
      logs.map((fields) => [keyOf(fields), [numbers.get(String(fields.WhoId)) ?? 'a person who is gone']]),
    ),
    hasCallBacks: false,
  };
}

function count(keys: Iterable<string | null | undefined>): Map<string, number> {
  const counts = new Map<string, number>();
  for (const key of keys) if (key) counts.set(key, (counts.get(key) ?? 0) + 1);
  return counts;
}

function createdOf(journal: readonly JournalEntry[], object: string, field: string): Map<string, number> {
  const made = journal.filter((entry) => entry.effect === 'created' && entry.object === object);
  return count(made.map(({ unique }) => unique?.[field]));
}
