/** What an org has before a client writes to it: users, a queue, and the values of its status fields. */
import type { Journal } from '../journal.ts';
import type { SalesforceRecords } from './records/records.ts';
import { type FieldValue, formatDatetime } from './records/values.ts';
import type { SalesforceSchema } from './schema/schema.ts';
import { CASE_STATUSES, STAGES, TASK_STATUSES } from './schema/standard-objects.ts';

const LONG_AGO = formatDatetime(new Date('2024-01-15T09:00:00Z'));

/** The first is the integration's. An inactive user cannot own records. */
const USERS = [
  { FirstName: 'Wrapup', LastName: 'Integration', IsActive: true },
  { FirstName: 'Maya', LastName: 'Okafor', IsActive: true },
  { FirstName: 'Jonas', LastName: 'Lindqvist', IsActive: true },
  { FirstName: 'Former', LastName: 'Colleague', IsActive: false },
];

/** The parts of an org that the setup records go into. */
interface SetupTarget {
  schema: SalesforceSchema;
  records: SalesforceRecords;
  journal: Journal;
  userId: string;
}

/** Adds them without a trace in the journal, which tells what clients did. */
export function addSetupRecords(org: SetupTarget): void {
  const add = (object: string, values: Record<string, FieldValue>) =>
    org.records.create(org.schema.object(object), new Map(Object.entries(values)), LONG_AGO, org.userId);
  add('Organization', {
    Name: 'Wrapup Sandbox',
    OrganizationType: 'Developer Edition',
    IsSandbox: false,
    InstanceName: 'LOCAL',
    TimeZoneSidKey: 'America/Los_Angeles',
    DefaultLocaleSidKey: 'en_US',
  });
  for (const user of USERS) {
    const name = `${user.FirstName} ${user.LastName}`;
    const address = `${user.FirstName}.${user.LastName}@sandbox.example`.toLowerCase();
    add('User', {
      ...user,
      Name: name,
      Username: address,
      Email: address,
      UserType: 'Standard',
      TimeZoneSidKey: 'America/Los_Angeles',
    });
  }
  add('Group', { Name: 'Inside Sales', Type: 'Queue' });
  const label = (value: string, at: number) => ({
    MasterLabel: value,
    ApiName: value,
    SortOrder: at + 1,
    IsDefault: at === 0,
  });
  for (const [at, { value, closed }] of TASK_STATUSES.entries())
    add('TaskStatus', { ...label(value, at), IsClosed: closed });
  for (const [at, { value, closed }] of CASE_STATUSES.entries())
    add('CaseStatus', { ...label(value, at), IsClosed: closed });
  for (const [at, { value, closed, won }] of STAGES.entries()) {
    add('OpportunityStage', { ...label(value, at), IsClosed: closed, IsWon: won, IsActive: true });
  }
  const statuses = org.schema.object('Lead').fields.get('Status')?.picklist ?? [];
  for (const [at, { value }] of statuses.entries()) {
    add('LeadStatus', { ...label(value, at), IsConverted: value === 'Closed - Converted' });
  }
  org.journal.entries.length = 0;
}
