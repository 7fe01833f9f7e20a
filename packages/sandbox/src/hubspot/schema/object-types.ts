/**
 * The kinds of records. Everything that differs between them stands in this table.
 * Type ids: https://developers.hubspot.com/docs/api-reference/latest/crm/understanding-the-crm
 */
import { HubSpotRefusal } from '../http/refusal.ts';

export interface ObjectType {
  /** `0-1`; custom objects are `2-…`. */
  id: string;
  /** `contacts`: what paths say. */
  name: string;
  /** `contact`: what association types and messages say. */
  singular: string;
  /** Properties a record cannot be created without. */
  required: string[];
  /** At least one of these must be given on creation. */
  oneOf?: string[];
  /** A creation must link the record to one of these. */
  linkedTo?: string[];
  /** An account has it only once it is switched on. */
  optional?: true;
  /** Properties that hold when it was made and last changed. */
  created: string;
  modified: string;
  /** What a read gives when no property is asked for. */
  shown: string[];
  /** What a search's `query` looks through. */
  searched: string[];
  /** Any one of these is enough. */
  scopes: { read: string[]; write: string[]; schemaRead: string[]; schemaWrite: string[] };
}

function scopes(object: string): ObjectType['scopes'] {
  return {
    read: [`crm.objects.${object}.read`],
    write: [`crm.objects.${object}.write`],
    schemaRead: [`crm.schemas.${object}.read`, `crm.objects.${object}.read`],
    schemaWrite: [`crm.schemas.${object}.write`],
  };
}

const TICKETS: ObjectType['scopes'] = {
  read: ['tickets'],
  write: ['tickets'],
  schemaRead: ['tickets'],
  schemaWrite: ['tickets'],
};

function activity(id: string, name: string, singular: string, shown: string[], searched: string[]): ObjectType {
  return {
    id,
    name,
    singular,
    required: ['hs_timestamp'],
    created: 'hs_createdate',
    modified: 'hs_lastmodifieddate',
    shown: ['hs_createdate', 'hs_lastmodifieddate', 'hs_object_id', ...shown],
    searched,
    // Activities have no scope of their own that can be granted: those of contacts open them.
    scopes: {
      read: ['crm.objects.contacts.read'],
      write: ['crm.objects.contacts.write'],
      schemaRead: [`crm.schemas.${name}.read`, 'crm.schemas.contacts.read', 'crm.objects.contacts.read'],
      schemaWrite: [`crm.schemas.${name}.write`, 'crm.schemas.contacts.write'],
    },
  };
}

/** An object that an administrator switches on. https://developers.hubspot.com/docs/guides/crm/using-object-apis */
function libraryObject(id: string, name: string, singular: string, required: string[]): ObjectType {
  return {
    ...{ id, name, singular, required },
    optional: true,
    created: 'hs_createdate',
    modified: 'hs_lastmodifieddate',
    shown: ['hs_createdate', 'hs_lastmodifieddate', 'hs_object_id'],
    searched: required.slice(0, 1),
    scopes: scopes(name),
  };
}

export const OBJECT_TYPES: ObjectType[] = [
  {
    id: '0-1',
    name: 'contacts',
    singular: 'contact',
    required: [],
    oneOf: ['email', 'firstname', 'lastname'],
    created: 'createdate',
    modified: 'lastmodifieddate',
    shown: ['createdate', 'email', 'firstname', 'hs_object_id', 'lastmodifieddate', 'lastname'],
    searched: ['firstname', 'lastname', 'email', 'phone', 'mobilephone', 'hs_additional_emails', 'company'],
    scopes: scopes('contacts'),
  },
  {
    id: '0-2',
    name: 'companies',
    singular: 'company',
    required: [],
    oneOf: ['name', 'domain'],
    created: 'createdate',
    modified: 'hs_lastmodifieddate',
    shown: ['createdate', 'domain', 'hs_lastmodifieddate', 'hs_object_id', 'name'],
    searched: ['name', 'domain', 'phone', 'website'],
    scopes: scopes('companies'),
  },
  {
    id: '0-3',
    name: 'deals',
    singular: 'deal',
    required: ['dealname', 'dealstage'],
    created: 'createdate',
    modified: 'hs_lastmodifieddate',
    shown: [
      'amount',
      'closedate',
      'createdate',
      'dealname',
      'dealstage',
      'hs_lastmodifieddate',
      'hs_object_id',
      'pipeline',
    ],
    searched: ['dealname', 'description', 'dealstage'],
    scopes: scopes('deals'),
  },
  {
    id: '0-5',
    name: 'tickets',
    singular: 'ticket',
    required: ['subject', 'hs_pipeline_stage'],
    created: 'createdate',
    modified: 'hs_lastmodifieddate',
    shown: [
      'content',
      'createdate',
      'hs_lastmodifieddate',
      'hs_object_id',
      'hs_pipeline',
      'hs_pipeline_stage',
      'hs_ticket_priority',
      'subject',
    ],
    searched: ['subject', 'content'],
    scopes: TICKETS,
  },
  activity('0-27', 'tasks', 'task', [], ['hs_task_subject', 'hs_task_body']),
  activity('0-46', 'notes', 'note', [], ['hs_note_body']),
  activity('0-47', 'meetings', 'meeting', [], ['hs_meeting_title', 'hs_meeting_body']),
  activity('0-48', 'calls', 'call', [], ['hs_call_title', 'hs_call_body']),
  {
    ...libraryObject('0-136', 'leads', 'lead', ['hs_lead_name']),
    linkedTo: ['contacts', 'companies'],
  },
  libraryObject('0-162', 'services', 'service', ['hs_name', 'hs_pipeline', 'hs_pipeline_stage']),
  libraryObject('0-410', 'courses', 'course', ['hs_course_name']),
  libraryObject('0-420', 'listings', 'listing', ['hs_name']),
  libraryObject('0-421', 'appointments', 'appointment', ['hs_appointment_name']),
];

/** A custom object, for an account that has some. @param id `2-` and digits */
export function customType(id: string, name: string, required: string[] = []): ObjectType {
  return {
    id,
    name,
    singular: name,
    required,
    created: 'hs_createdate',
    modified: 'hs_lastmodifieddate',
    shown: ['hs_createdate', 'hs_lastmodifieddate', 'hs_object_id'],
    searched: required,
    scopes: {
      read: ['crm.objects.custom.read'],
      write: ['crm.objects.custom.write'],
      schemaRead: ['crm.schemas.custom.read'],
      schemaWrite: ['crm.schemas.custom.write'],
    },
  };
}

/**
 * The type that a path or a body names: plural or singular name in whatever case, or id. Custom objects go by id or by their fully
 * qualified name only; bare names of custom objects stopped working in June 2025.
 * @throws Refusal when there is none
 */
export function typeNamed(types: ObjectType[], portalId: number, name: string): ObjectType {
  const lower = name.toLowerCase();
  const found = types.find((type) =>
    type.id.startsWith('2-')
      ? type.id === name || `p${portalId}_${type.name}` === name
      : type.id === name || type.name === lower || type.singular === lower,
  );
  if (!found) throw new HubSpotRefusal(`Unable to infer object type from: ${name}`);
  return found;
}
