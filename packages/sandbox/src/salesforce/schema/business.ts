/** Deals, cases and files. */
import {
  createOnly,
  currency,
  date,
  datetime,
  email,
  field,
  flag,
  integer,
  longText,
  percent,
  phone,
  picklist,
  readOnly,
  reference,
  required,
  text,
} from './field.ts';
import { owner, type SObject, sobject } from './sobject.ts';

export const STAGES = [
  { value: 'Prospecting', closed: false, won: false, probability: 10 },
  { value: 'Qualification', closed: false, won: false, probability: 10 },
  { value: 'Proposal/Price Quote', closed: false, won: false, probability: 75 },
  { value: 'Negotiation/Review', closed: false, won: false, probability: 90 },
  { value: 'Closed Won', closed: true, won: true, probability: 100 },
  { value: 'Closed Lost', closed: true, won: false, probability: 0 },
];

export const CASE_STATUSES = [
  { value: 'New', closed: false },
  { value: 'Working', closed: false },
  { value: 'Escalated', closed: false },
  { value: 'Closed', closed: true },
];

const SOURCES = ['Web', 'Phone Inquiry', 'Partner Referral', 'Purchased List', 'Other'];

export function business(): SObject[] {
  return [
    sobject(
      'Opportunity',
      'Opportunity',
      '006',
      [
        reference('AccountId', 'Account ID', ['Account']),
        text('Name', 'Name', 120, { ...required, nameField: true }),
        longText('Description', 'Description'),
        picklist(
          'StageName',
          'Stage',
          STAGES.map(({ value }) => value),
          { ...required, restrictedPicklist: true },
        ),
        currency('Amount', 'Amount'),
        percent('Probability', 'Probability (%)', { defaultedOnCreate: true }),
        date('CloseDate', 'Close Date', required),
        picklist('Type', 'Opportunity Type', [
          'New Customer',
          'Existing Customer - Upgrade',
          'Existing Customer - Renewal',
        ]),
        text('NextStep', 'Next Step', 255),
        picklist('LeadSource', 'Lead Source', SOURCES),
        flag('IsClosed', 'Closed', readOnly),
        flag('IsWon', 'Won', readOnly),
        reference('ContactId', 'Contact ID', ['Contact'], createOnly),
        owner(),
      ],
      { labelPlural: 'Opportunities' },
    ),
    sobject('Case', 'Case', '500', [
      text('CaseNumber', 'Case Number', 30, {
        ...readOnly,
        nillable: false,
        defaultedOnCreate: true,
        nameField: true,
        idLookup: true,
      }),
      reference('ContactId', 'Contact ID', ['Contact']),
      reference('AccountId', 'Account ID', ['Account']),
      reference('ParentId', 'Parent Case ID', ['Case']),
      text('SuppliedName', 'Name', 80),
      email('SuppliedEmail', 'Email Address'),
      phone('SuppliedPhone', 'Phone'),
      picklist('Type', 'Case Type', ['Mechanical', 'Electrical', 'Electronic', 'Structural', 'Other']),
      picklist(
        'Status',
        'Status',
        CASE_STATUSES.map(({ value }) => value),
        { defaultedOnCreate: true, restrictedPicklist: true },
      ),
      picklist('Reason', 'Case Reason', ['Installation', 'Performance', 'Breakdown', 'Feedback', 'Other']),
      picklist('Origin', 'Case Origin', ['Phone', 'Email', 'Web']),
      picklist('Priority', 'Priority', ['Medium', 'High', 'Low'], { defaultedOnCreate: true }),
      text('Subject', 'Subject', 255),
      longText('Description', 'Description'),
      flag('IsClosed', 'Closed', readOnly),
      datetime('ClosedDate', 'Closed Date', readOnly),
      owner(true),
    ]),
    ...files(),
  ];
}

/** https://developer.salesforce.com/docs/platform/api-rest/guide/dome-sobject-insert-update-blob.html */
function files(): SObject[] {
  const version = sobject(
    'ContentVersion',
    'Content Version',
    '068',
    [
      reference('ContentDocumentId', 'ContentDocument ID', ['ContentDocument'], createOnly),
      flag('IsLatest', 'Is Latest', readOnly),
      text('Title', 'Title', 255, { nameField: true }),
      longText('Description', 'Description', 1_000),
      text('PathOnClient', 'Path On Client', 500, { ...createOnly, ...required }),
      field('VersionData', 'Version Data', 'base64', { ...required, filterable: false }),
      integer('ContentSize', 'Size', readOnly),
      text('FileType', 'File Type', 20, readOnly),
      text('FileExtension', 'File Extension', 40, readOnly),
      text('VersionNumber', 'Version Number', 20, readOnly),
      reference(
        'FirstPublishLocationId',
        'First Publish Location ID',
        ['Account', 'Case', 'Contact', 'Lead', 'Opportunity', 'Task', 'Event', 'User'],
        createOnly,
      ),
      owner(),
    ],
    { searchable: false },
  );
  const document = sobject(
    'ContentDocument',
    'Content Document',
    '069',
    [
      text('Title', 'Title', 255, { nameField: true }),
      reference('LatestPublishedVersionId', 'Latest Published Version ID', ['ContentVersion'], readOnly),
      owner(),
    ],
    { createable: false, searchable: false },
  );
  const link = sobject(
    'ContentDocumentLink',
    'Content Document Link',
    '06A',
    [
      reference(
        'LinkedEntityId',
        'Linked Entity ID',
        ['Account', 'Case', 'Contact', 'Lead', 'Opportunity', 'Task', 'Event', 'User'],
        { ...createOnly, ...required },
      ),
      reference('ContentDocumentId', 'ContentDocument ID', ['ContentDocument'], { ...createOnly, ...required }),
      picklist('ShareType', 'Share Type', ['V', 'C', 'I'], {
        restrictedPicklist: true,
        defaultedOnCreate: true,
        nillable: false,
      }),
      picklist('Visibility', 'Visibility', ['AllUsers', 'InternalUsers', 'SharedUsers'], { restrictedPicklist: true }),
    ],
    { searchable: false },
  );
  return [version, document, link];
}
