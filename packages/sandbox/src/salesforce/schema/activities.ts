/** Tasks and events. A custom field of theirs is defined once, on Activity, and both have it. */
import {
  createOnly,
  date,
  datetime,
  type Field,
  flag,
  integer,
  longText,
  picklist,
  readOnly,
  reference,
  required,
  text,
} from './field.ts';
import { owner, type SObject, sobject } from './sobject.ts';

/** Whom and what an activity may be about. Custom objects join `WhatId` when they are made. */
const shared = (): Field[] => [
  reference('WhoId', 'Name ID', ['Contact', 'Lead']),
  reference('WhatId', 'Related To ID', ['Account', 'Opportunity', 'Case']),
  longText('Description', 'Description'),
  reference('AccountId', 'Account ID', ['Account'], readOnly),
  datetime('ReminderDateTime', 'Reminder Date/Time'),
  flag('IsReminderSet', 'Reminder Set'),
  flag('IsArchived', 'Archived', readOnly),
];

/** `Completed` is what most orgs call it, and only that. */
export const TASK_STATUSES = [
  { value: 'Not Started', closed: false },
  { value: 'In Progress', closed: false },
  { value: 'Completed', closed: true },
  { value: 'Waiting on someone else', closed: false },
  { value: 'Deferred', closed: false },
];

/** https://developer.salesforce.com/docs/platform/object-reference/references/standard-objects/object-task.html */
export function activities(): SObject[] {
  const task = sobject(
    'Task',
    'Task',
    '00T',
    [
      text('Subject', 'Subject', 255),
      date('ActivityDate', 'Due Date Only'),
      picklist(
        'Status',
        'Status',
        TASK_STATUSES.map(({ value }) => value),
        {
          ...required,
          length: 40,
          defaultedOnCreate: true,
          restrictedPicklist: true,
        },
      ),
      picklist('Priority', 'Priority', ['Normal', 'High', 'Low'], {
        ...required,
        length: 40,
        defaultedOnCreate: true,
        restrictedPicklist: true,
      }),
      flag('IsHighPriority', 'High Priority', readOnly),
      owner(true),
      picklist('Type', 'Type', ['Call', 'Email', 'Meeting', 'Other'], { length: 40 }),
      flag('IsClosed', 'Closed', readOnly),
      picklist('TaskSubtype', 'Task Subtype', ['Task', 'Email', 'Call', 'ListEmail', 'LinkedIn', 'Cadence'], {
        ...createOnly,
        length: 40,
        restrictedPicklist: true,
      }),
      picklist('CallType', 'Call Type', ['Internal', 'Inbound', 'Outbound'], { length: 40, restrictedPicklist: true }),
      integer('CallDurationInSeconds', 'Call Duration'),
      text('CallDisposition', 'Call Result', 255),
      text('CallObject', 'Call Object Identifier', 255),
      datetime('CompletedDateTime', 'Completed Date/Time', readOnly),
      ...shared(),
    ],
    { searchable: true },
  );
  const event = sobject('Event', 'Event', '00U', [
    text('Subject', 'Subject', 255),
    text('Location', 'Location', 255),
    flag('IsAllDayEvent', 'All-Day Event'),
    datetime('ActivityDateTime', 'Due Date Time'),
    date('ActivityDate', 'Due Date Only'),
    integer('DurationInMinutes', 'Duration'),
    datetime('StartDateTime', 'Start Date Time'),
    datetime('EndDateTime', 'End Date Time'),
    owner(true),
    picklist('Type', 'Type', ['Call', 'Email', 'Meeting', 'Other'], { length: 40 }),
    picklist('ShowAs', 'Show Time As', ['Busy', 'OutOfOffice', 'Free'], { length: 40, restrictedPicklist: true }),
    picklist('EventSubtype', 'Event Subtype', ['Event'], { ...createOnly, length: 40, restrictedPicklist: true }),
    ...shared(),
  ]);
  return [task, event];
}
