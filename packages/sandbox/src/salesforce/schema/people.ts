/** Leads, contacts and accounts, as an org has them that nobody changed. */
import {
  currency,
  date,
  datetime,
  email,
  type Field,
  flag,
  integer,
  longText,
  phone,
  picklist,
  readOnly,
  reference,
  required,
  text,
  url,
} from './field.ts';
import { owner, type SObject, sobject } from './sobject.ts';

const SALUTATIONS = ['Mr.', 'Ms.', 'Mrs.', 'Dr.', 'Prof.'];
const SOURCES = ['Web', 'Phone Inquiry', 'Partner Referral', 'Purchased List', 'Other'];
const INDUSTRIES = [
  'Agriculture',
  'Banking',
  'Construction',
  'Education',
  'Healthcare',
  'Retail',
  'Technology',
  'Other',
];

const calculated = { ...readOnly, calculated: true } as const;

function names(most: number): Field[] {
  return [
    text('LastName', 'Last Name', 80, required),
    text('FirstName', 'First Name', 40),
    picklist('Salutation', 'Salutation', SALUTATIONS, { length: 40 }),
    text('Name', 'Full Name', most, { ...readOnly, nillable: false, nameField: true }),
  ];
}

function address(prefix: string): Field[] {
  return [
    longText(`${prefix}Street`, `${prefix} Street`.trim(), 255),
    text(`${prefix}City`, `${prefix} City`.trim(), 40),
    text(`${prefix}State`, `${prefix} State/Province`.trim(), 80),
    text(`${prefix}PostalCode`, `${prefix} Zip/Postal Code`.trim(), 20),
    text(`${prefix}Country`, `${prefix} Country`.trim(), 80),
  ];
}

export function people(): SObject[] {
  return [lead(), contact(), account()];
}

function lead(): SObject {
  return sobject('Lead', 'Lead', '00Q', [
    reference('MasterRecordId', 'Master Record ID', ['Lead'], readOnly),
    ...names(121),
    text('Title', 'Title', 128),
    text('Company', 'Company', 255, required),
    ...address(''),
    phone('Phone', 'Phone'),
    phone('MobilePhone', 'Mobile Phone'),
    phone('Fax', 'Fax'),
    email('Email', 'Email', { idLookup: true }),
    url('Website', 'Website'),
    longText('Description', 'Description'),
    picklist('LeadSource', 'Lead Source', SOURCES),
    picklist(
      'Status',
      'Status',
      ['Open - Not Contacted', 'Working - Contacted', 'Closed - Converted', 'Closed - Not Converted'],
      {
        ...required,
        defaultedOnCreate: true,
        restrictedPicklist: true,
      },
    ),
    picklist('Industry', 'Industry', INDUSTRIES),
    picklist('Rating', 'Rating', ['Hot', 'Warm', 'Cold']),
    currency('AnnualRevenue', 'Annual Revenue'),
    integer('NumberOfEmployees', 'Employees'),
    owner(true),
    flag('HasOptedOutOfEmail', 'Email Opt Out'),
    flag('DoNotCall', 'Do Not Call'),
    flag('IsConverted', 'Converted', { ...readOnly }),
    date('ConvertedDate', 'Converted Date', readOnly),
    reference('ConvertedAccountId', 'Converted Account ID', ['Account'], readOnly),
    reference('ConvertedContactId', 'Converted Contact ID', ['Contact'], readOnly),
    reference('ConvertedOpportunityId', 'Converted Opportunity ID', ['Opportunity'], readOnly),
    date('LastActivityDate', 'Last Activity', readOnly),
  ]);
}

function contact(): SObject {
  return sobject('Contact', 'Contact', '003', [
    reference('MasterRecordId', 'Master Record ID', ['Contact'], readOnly),
    reference('AccountId', 'Account ID', ['Account']),
    ...names(121),
    text('Title', 'Title', 128),
    text('Department', 'Department', 80),
    ...address('Mailing'),
    phone('Phone', 'Business Phone'),
    phone('Fax', 'Business Fax'),
    phone('MobilePhone', 'Mobile Phone'),
    phone('HomePhone', 'Home Phone'),
    phone('OtherPhone', 'Other Phone'),
    phone('AssistantPhone', 'Asst. Phone'),
    email('Email', 'Email', { idLookup: true }),
    date('Birthdate', 'Birthdate'),
    picklist('LeadSource', 'Lead Source', SOURCES),
    longText('Description', 'Contact Description'),
    reference('ReportsToId', 'Reports To ID', ['Contact']),
    owner(),
    flag('HasOptedOutOfEmail', 'Email Opt Out'),
    flag('DoNotCall', 'Do Not Call'),
    date('LastActivityDate', 'Last Activity', readOnly),
  ]);
}

function account(): SObject {
  return sobject('Account', 'Account', '001', [
    reference('MasterRecordId', 'Master Record ID', ['Account'], readOnly),
    text('Name', 'Account Name', 255, { ...required, nameField: true }),
    picklist('Type', 'Account Type', ['Prospect', 'Customer - Direct', 'Customer - Channel', 'Other']),
    reference('ParentId', 'Parent Account ID', ['Account']),
    ...address('Billing'),
    phone('Phone', 'Account Phone'),
    phone('Fax', 'Account Fax'),
    url('Website', 'Website'),
    picklist('Industry', 'Industry', INDUSTRIES),
    picklist('Rating', 'Account Rating', ['Hot', 'Warm', 'Cold']),
    currency('AnnualRevenue', 'Annual Revenue'),
    integer('NumberOfEmployees', 'Employees'),
    longText('Description', 'Account Description'),
    owner(),
    date('LastActivityDate', 'Last Activity', readOnly),
  ]);
}

/**
 * What an org shows once person accounts are on: an account that is a human, with a contact of its own.
 * https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_guidelines_personaccounts.htm
 */
export const PERSON_ACCOUNT_FIELDS: Record<string, Field[]> = {
  Account: [
    flag('IsPersonAccount', 'Is Person Account', calculated),
    reference('PersonContactId', 'Contact ID', ['Contact'], readOnly),
    text('LastName', 'Last Name', 80),
    text('FirstName', 'First Name', 40),
    picklist('Salutation', 'Salutation', SALUTATIONS, { length: 40 }),
    email('PersonEmail', 'Email', { idLookup: true }),
    phone('PersonMobilePhone', 'Mobile'),
    phone('PersonHomePhone', 'Home Phone'),
    phone('PersonOtherPhone', 'Other Phone'),
    phone('PersonAssistantPhone', 'Asst. Phone'),
    text('PersonTitle', 'Title', 80),
    flag('PersonDoNotCall', 'Do Not Call'),
    datetime('PersonLastCURequestDate', 'Last Stay-in-Touch Request Date', readOnly),
  ],
  Contact: [flag('IsPersonAccount', 'Is Person Account', calculated)],
};
