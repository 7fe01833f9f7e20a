import type { SampleNames } from '@wrapup/destination/sample-plan';

/** Salesforce's own names for what a sample plan writes. */
export const SALESFORCE_NAMES: SampleNames = {
  call_log: 'Task',
  task: 'Task',
  create_as: 'lead',
  first_name: 'FirstName',
  last_name: 'LastName',
  phone: 'Phone',
  email: 'Email',
  note: 'Description',
  owner: 'OwnerId',
  title: 'Subject',
  subject: 'Subject',
  call_log_extra: { CallDurationInSeconds: 61 },
  task_extra: { ActivityDate: '2026-11-25' },
};
