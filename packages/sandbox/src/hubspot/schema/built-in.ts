/** Properties that a fresh account has: those that integrations with calls read and write, and what their tests need. */
import { DISPOSITIONS } from './dispositions.ts';
import {
  bool,
  choice,
  datetime,
  longText,
  number,
  type PropertyDefinition,
  property,
  richText,
  text,
} from './property.ts';

const calculated = { calculated: true, readOnly: true } as const;
const unwritable = { readOnly: true } as const;

/** What every record has. */
function common(created: string, modified: string): PropertyDefinition[] {
  return [
    number('hs_object_id', 'Record ID', unwritable),
    datetime(created, 'Create Date', unwritable),
    datetime(modified, 'Last Modified Date', unwritable),
    property('hubspot_owner_id', 'Owner', 'enumeration', 'select', { owners: true }),
    datetime('hubspot_owner_assigneddate', 'Owner assigned date', unwritable),
    bool('hs_was_imported', 'Performed in an import', unwritable),
    text('hs_unique_creation_key', 'Unique creation key', { ...unwritable, hasUniqueValue: true, hidden: true }),
    property('hs_merged_object_ids', 'Merged record IDs', 'enumeration', 'checkbox', calculated),
    number('hs_created_by_user_id', 'Created by user ID', unwritable),
  ];
}

const activities = (created = 'hs_createdate') => [
  ...common(created, 'hs_lastmodifieddate'),
  datetime('hs_timestamp', 'Activity date'),
  text('hs_attachment_ids', 'Attached file IDs'),
  bool('hs_pinned', 'Pinned', unwritable),
];

const LIFECYCLE = {
  Subscriber: 'subscriber',
  Lead: 'lead',
  'Marketing Qualified Lead': 'marketingqualifiedlead',
  'Sales Qualified Lead': 'salesqualifiedlead',
  Opportunity: 'opportunity',
  Customer: 'customer',
  Evangelist: 'evangelist',
  Other: 'other',
};

const LEAD_STATUS = {
  New: 'NEW',
  Open: 'OPEN',
  'In Progress': 'IN_PROGRESS',
  'Open Deal': 'OPEN_DEAL',
  Unqualified: 'UNQUALIFIED',
  'Attempted to Contact': 'ATTEMPTED_TO_CONTACT',
  Connected: 'CONNECTED',
  'Bad Timing': 'BAD_TIMING',
};

const contacts = [
  ...common('createdate', 'lastmodifieddate'),
  text('email', 'Email', { formField: true }),
  text('hs_additional_emails', 'Additional email addresses'),
  text('firstname', 'First Name', { formField: true }),
  text('lastname', 'Last Name', { formField: true }),
  property('phone', 'Phone Number', 'string', 'phonenumber', { formField: true }),
  property('mobilephone', 'Mobile Phone Number', 'string', 'phonenumber', { formField: true }),
  text('company', 'Company Name', { formField: true }),
  text('jobtitle', 'Job Title', { formField: true }),
  text('website', 'Website URL', { formField: true }),
  text('address', 'Street Address'),
  text('city', 'City'),
  text('state', 'State/Region'),
  text('zip', 'Postal Code'),
  text('country', 'Country/Region'),
  longText('message', 'Message'),
  number('numemployees', 'Number of Employees', { integer: true }),
  property('date_of_birth', 'Date of birth', 'string', 'text'),
  property('closedate', 'Close Date', 'datetime', 'date'),
  choice('lifecyclestage', 'Lifecycle Stage', LIFECYCLE),
  choice('hs_lead_status', 'Lead Status', LEAD_STATUS),
  choice('hs_language', 'Preferred language', { English: 'en', German: 'de', French: 'fr', Spanish: 'es' }),
  text('hs_timezone', 'Time Zone'),
  bool('hs_email_optout', 'Unsubscribed from all email', unwritable),
  text('hs_full_name_or_email', 'Full name or email', calculated),
  ...['hs_searchable_calculated_phone_number', 'hs_searchable_calculated_mobile_number'].map((name) =>
    property(name, name, 'phone_number', 'phonenumber', calculated),
  ),
  ...[
    'hs_searchable_calculated_international_phone_number',
    'hs_searchable_calculated_international_mobile_number',
  ].map((name) => property(name, name, 'phone_number', 'phonenumber', calculated)),
  ...['hs_calculated_phone_number', 'hs_calculated_mobile_number'].map((name) => text(name, name, calculated)),
  ...['hs_calculated_phone_number_country_code', 'hs_calculated_phone_number_area_code'].map((name) =>
    text(name, name, calculated),
  ),
  number('hs_pinned_engagement_id', 'Pinned activity'),
];

const companies = [
  ...common('createdate', 'hs_lastmodifieddate'),
  text('name', 'Company name'),
  text('domain', 'Company Domain Name'),
  property('phone', 'Phone Number', 'string', 'phonenumber'),
  text('website', 'Website URL'),
  text('city', 'City'),
  text('state', 'State/Region'),
  text('country', 'Country/Region'),
  longText('description', 'Description'),
  number('numberofemployees', 'Number of Employees', { integer: true }),
  number('annualrevenue', 'Annual Revenue'),
  choice('lifecyclestage', 'Lifecycle Stage', LIFECYCLE),
  choice('hs_lead_status', 'Lead Status', LEAD_STATUS),
  number('hs_pinned_engagement_id', 'Pinned activity'),
];

const deals = [
  ...common('createdate', 'hs_lastmodifieddate'),
  text('dealname', 'Deal Name'),
  number('amount', 'Amount'),
  longText('description', 'Deal Description'),
  datetime('closedate', 'Close Date'),
  choice('pipeline', 'Pipeline', { 'Sales Pipeline': 'default' }),
  choice('dealstage', 'Deal Stage', {
    'Appointment Scheduled': 'appointmentscheduled',
    'Qualified To Buy': 'qualifiedtobuy',
    'Presentation Scheduled': 'presentationscheduled',
    'Decision Maker Bought-In': 'decisionmakerboughtin',
    'Contract Sent': 'contractsent',
    'Closed Won': 'closedwon',
    'Closed Lost': 'closedlost',
  }),
  choice('dealtype', 'Deal Type', { 'New Business': 'newbusiness', 'Existing Business': 'existingbusiness' }),
  choice('hs_priority', 'Priority', { Low: 'low', Medium: 'medium', High: 'high' }),
  bool('hs_is_closed', 'Is Closed', calculated),
  number('hs_pinned_engagement_id', 'Pinned activity'),
];

const tickets = [
  ...common('createdate', 'hs_lastmodifieddate'),
  text('subject', 'Ticket name'),
  longText('content', 'Ticket description'),
  choice('hs_pipeline', 'Pipeline', { 'Support Pipeline': '0' }),
  choice('hs_pipeline_stage', 'Ticket status', {
    New: '1',
    'Waiting on contact': '2',
    'Waiting on us': '3',
    Closed: '4',
  }),
  choice('hs_ticket_priority', 'Priority', ['LOW', 'MEDIUM', 'HIGH', 'URGENT']),
  choice('hs_ticket_category', 'Category', ['PRODUCT_ISSUE', 'BILLING_ISSUE', 'FEATURE_REQUEST', 'GENERAL_INQUIRY']),
  choice('source_type', 'Source', ['CHAT', 'EMAIL', 'FORM', 'PHONE']),
  number('hs_pinned_engagement_id', 'Pinned activity'),
];

const tasks = [
  ...activities(),
  text('hs_task_subject', 'Task Title'),
  richText('hs_task_body', 'Task Notes'),
  choice('hs_task_status', 'Task Status', ['NOT_STARTED', 'IN_PROGRESS', 'WAITING', 'COMPLETED', 'DEFERRED']),
  choice('hs_task_priority', 'Priority', ['NONE', 'LOW', 'MEDIUM', 'HIGH']),
  choice('hs_task_type', 'Task Type', ['CALL', 'EMAIL', 'LINKED_IN_CONNECT', 'LINKED_IN_MESSAGE', 'MEETING', 'TODO']),
  text('hs_task_reminders', 'Reminders'),
  datetime('hs_task_completion_date', 'Completed at', calculated),
];

const notes = [...activities(), richText('hs_note_body', 'Note body')];

const meetings = [
  ...activities(),
  text('hs_meeting_title', 'Meeting name'),
  richText('hs_meeting_body', 'Meeting description'),
  text('hs_internal_meeting_notes', 'Internal meeting notes'),
  text('hs_meeting_external_url', 'External URL'),
  text('hs_meeting_location', 'Meeting location'),
  datetime('hs_meeting_start_time', 'Meeting start time'),
  datetime('hs_meeting_end_time', 'Meeting end time'),
  choice('hs_meeting_outcome', 'Meeting outcome', ['SCHEDULED', 'COMPLETED', 'RESCHEDULED', 'NO_SHOW', 'CANCELED']),
  choice('hs_activity_type', 'Call and meeting type', []),
];

const calls = [
  ...activities(),
  text('hs_call_title', 'Call Title'),
  richText('hs_call_body', 'Call notes'),
  // Milliseconds.
  number('hs_call_duration', 'Call duration', { integer: true }),
  choice('hs_call_direction', 'Call direction', { Inbound: 'INBOUND', Outbound: 'OUTBOUND' }),
  choice('hs_call_status', 'Call status', [
    'BUSY',
    'CALLING_CRM_USER',
    'CANCELED',
    'COMPLETED',
    'CONNECTING',
    'FAILED',
    'IN_PROGRESS',
    'NO_ANSWER',
    'QUEUED',
    'RINGING',
  ]),
  choice('hs_call_disposition', 'Call outcome', DISPOSITIONS),
  text('hs_call_from_number', 'From Number'),
  text('hs_call_to_number', 'To Number'),
  text('hs_call_recording_url', 'Recording URL'),
  number('hs_call_callee_object_id', 'Callee object ID'),
  text('hs_call_callee_object_type', 'Callee object type'),
  text('hs_call_callee_object_type_id', 'Callee object type ID'),
  choice('hs_call_source', 'Call Source', ['INTEGRATIONS_PLATFORM']),
  number('hs_call_app_id', 'App ID'),
  text('hs_call_external_id', 'External ID'),
  text('hs_call_external_account_id', 'External account ID'),
  longText('hs_call_summary', 'Call summary', unwritable),
  // Types of calls are the account's own; a fresh account has none.
  choice('hs_activity_type', 'Call and meeting type', []),
];

/** By object, and the group that each object's own properties stand in. */
export const BUILT_IN: Record<string, { group: string; label: string; properties: PropertyDefinition[] }> = {
  contacts: { group: 'contactinformation', label: 'Contact information', properties: contacts },
  companies: { group: 'companyinformation', label: 'Company information', properties: companies },
  deals: { group: 'dealinformation', label: 'Deal information', properties: deals },
  tickets: { group: 'ticketinformation', label: 'Ticket information', properties: tickets },
  tasks: { group: 'task', label: 'Task information', properties: tasks },
  notes: { group: 'note', label: 'Note information', properties: notes },
  meetings: { group: 'meeting', label: 'Meeting information', properties: meetings },
  calls: { group: 'call', label: 'Call information', properties: calls },
};

/** What a custom object has before anybody adds to it. */
export const CUSTOM_BUILT_IN = common('hs_createdate', 'hs_lastmodifieddate');
