/** One row of a contact's timeline, from a record of HubSpot of any kind. A table says which properties are which. */
import type { Account } from '../hubspot/account.ts';
import type { HubSpotRecord } from '../hubspot/records/records.ts';
import type { ObjectType } from '../hubspot/schema/object-types.ts';
import type { HubSpotSchema } from '../hubspot/schema/schema.ts';
import { toPlainText } from './plain-text.ts';
import { badgesOf, readableDuration, readableTime, type TimelineEntry } from './timeline.ts';
import { hubspotAnchor } from './view.ts';

interface Kind {
  title: string;
  body?: string;
  at: string;
  badges: string[];
  facts: string[];
  link?: string;
}

const KINDS: Record<string, Kind> = {
  calls: {
    title: 'hs_call_title',
    body: 'hs_call_body',
    at: 'hs_timestamp',
    badges: ['hs_call_disposition', 'hs_call_status'],
    facts: ['hs_call_direction', 'hs_call_duration', 'hs_call_from_number', 'hs_call_to_number', 'wrapup_call_id'],
    link: 'hs_call_recording_url',
  },
  tasks: {
    title: 'hs_task_subject',
    body: 'hs_task_body',
    at: 'hs_timestamp',
    badges: ['hs_task_status', 'hs_task_priority'],
    facts: ['hs_task_type', 'wrapup_key'],
  },
  notes: { title: '', body: 'hs_note_body', at: 'hs_timestamp', badges: [], facts: ['wrapup_key'] },
  meetings: {
    title: 'hs_meeting_title',
    body: 'hs_meeting_body',
    at: 'hs_timestamp',
    badges: ['hs_meeting_outcome'],
    facts: ['hs_meeting_start_time', 'hs_meeting_end_time', 'wrapup_key'],
  },
  deals: {
    title: 'dealname',
    body: 'description',
    at: 'createdate',
    badges: ['dealstage'],
    facts: ['amount', 'closedate', 'wrapup_key'],
  },
  tickets: {
    title: 'subject',
    body: 'content',
    at: 'createdate',
    badges: ['hs_pipeline_stage', 'hs_ticket_priority'],
    facts: ['wrapup_key'],
  },
};

export const TIMELINE = Object.keys(KINDS);

export function entryOf({ schema }: Account, record: HubSpotRecord): TimelineEntry {
  const { type, id, properties } = record;
  const kind = KINDS[type.name] as Kind;
  const at = Date.parse(properties.get(kind.at) ?? '') || record.createdAt.getTime();
  const link = kind.link && properties.get(kind.link);
  return {
    kind: type.singular,
    id,
    anchor: hubspotAnchor(type.singular, id),
    title: properties.get(kind.title) ?? `${type.singular[0]?.toUpperCase()}${type.singular.slice(1)}`,
    at,
    when: type.name === 'tasks' ? `due ${readableTime(at)}` : readableTime(at),
    badges: badgesOf(
      kind.badges.map((property) => labelOf(schema, type, property, properties)).filter((text) => text !== undefined),
    ),
    facts: kind.facts
      .filter((property) => properties.has(property))
      .map((property) => ({
        label: FACT_LABELS[property] ?? schema.property(type, property)?.label ?? property,
        value: labelOf(schema, type, property, properties) ?? '',
        isKey: property.startsWith('wrapup_'),
      })),
    body: toPlainText(properties.get(kind.body ?? '') ?? ''),
    link: link && /^https?:\/\//i.test(link) ? link : undefined,
  };
}

const FACT_LABELS: Record<string, string> = {
  hs_call_duration: 'Duration',
  hs_call_direction: 'Direction',
};

/** A value as a person reads it: the label of an option, the name of an owner, a time, a duration. */
export function labelOf(
  schema: HubSpotSchema,
  type: ObjectType,
  property: string,
  properties: ReadonlyMap<string, string>,
): string | undefined {
  const value = properties.get(property);
  const definition = schema.property(type, property);
  if (value === undefined || !definition) return value;
  if (property === 'hs_call_duration') return readableDuration(Number(value));
  if (definition.type === 'datetime') return readableTime(Date.parse(value));
  if (definition.owners) {
    const owner = schema.owners.find((one) => one.id === value);
    return owner ? `${owner.firstName} ${owner.lastName}` : value;
  }
  return definition.options.find((option) => option.value === value)?.label ?? value;
}
