/** Salesforce's org: contacts and leads, and what is about them. */
import type { Org } from '../salesforce/org.ts';
import type { StoredSObject } from '../salesforce/records/records.ts';
import type { FieldValue } from '../salesforce/records/values.ts';
import { badgesOf, type Fact, readableDuration, readableTime, type TimelineEntry } from './timeline.ts';
import {
  initialsOf,
  latestFirst,
  MOST_LOOSE,
  MOST_PEOPLE,
  type PersonView,
  salesforceAnchor,
  type View,
} from './view.ts';

const PEOPLE = ['Contact', 'Lead'];

interface Kind {
  title: string;
  body?: string;
  at: string;
  badges: string[];
  facts: string[];
  /** Fields that name the person, in this order. */
  people: string[];
}

const KINDS: Record<string, Kind> = {
  Task: {
    title: 'Subject',
    body: 'Description',
    at: 'CreatedDate',
    badges: ['CallDisposition', 'Status', 'Priority'],
    facts: ['ActivityDate', 'CallType', 'CallDurationInSeconds', 'Type', 'CallObject', 'Wrapup_Call_Id__c'],
    people: ['WhoId'],
  },
  Event: {
    title: 'Subject',
    body: 'Description',
    at: 'StartDateTime',
    badges: ['ShowAs'],
    facts: ['StartDateTime', 'EndDateTime', 'DurationInMinutes', 'Location', 'Wrapup_Call_Id__c'],
    people: ['WhoId'],
  },
  Opportunity: {
    title: 'Name',
    body: 'Description',
    at: 'CreatedDate',
    badges: ['StageName'],
    facts: ['Amount', 'CloseDate', 'Wrapup_Key__c'],
    people: ['ContactId'],
  },
  Case: {
    title: 'Subject',
    body: 'Description',
    at: 'CreatedDate',
    badges: ['Status', 'Priority'],
    facts: ['CaseNumber', 'Origin', 'Wrapup_Key__c'],
    people: ['ContactId'],
  },
};

const ALWAYS_COUNTED = ['Lead', 'Contact', 'Task'];
const COUNTED = ['Lead', 'Contact', 'Task', 'Event', 'Account', 'Opportunity', 'Case', 'ContentVersion'];

export function salesforceView(org: Org): View {
  const live = (object: string) => org.records.live(org.schema.object(object));
  const byPerson = new Map<string, StoredSObject[]>();
  const loose: StoredSObject[] = [];
  for (const [object, { people }] of Object.entries(KINDS)) {
    for (const record of live(object)) {
      const person = people.map((name) => record.values.get(name)).find(isThere(org));
      if (person === undefined) loose.push(record);
      else byPerson.set(person, [...(byPerson.get(person) ?? []), record]);
    }
  }
  const own = (person: StoredSObject) => byPerson.get(person.id) ?? [];
  const people = PEOPLE.flatMap(live).sort((a, b) => lastChange([b, ...own(b)]) - lastChange([a, ...own(a)]));
  return {
    crm: 'Salesforce',
    about: `org ${org.id}`,
    counts: [...COUNTED, ...org.schema.objects.filter(({ custom }) => custom).map(({ name }) => name)]
      .map((object) => ({ object, count: live(object).length }))
      .filter(({ object, count }) => count > 0 || ALWAYS_COUNTED.includes(object))
      .map(({ object, count }) => ({ label: countLabel(org, object, count), count })),
    people: people.slice(0, MOST_PEOPLE).map((person) => personOf(org, person, own(person))),
    morePeople: Math.max(0, people.length - MOST_PEOPLE),
    loose: loose
      .slice(-MOST_LOOSE)
      .map((record) => entryOf(org, record))
      .sort(latestFirst),
    moreLoose: Math.max(0, loose.length - MOST_LOOSE),
  };
}

function isThere(org: Org) {
  return (id: FieldValue | undefined): id is string =>
    typeof id === 'string' && org.record(id)?.deletedAt === undefined;
}

function countLabel(org: Org, object: string, count: number): string {
  if (object === 'ContentVersion') return count === 1 ? 'file' : 'files';
  const { label, labelPlural } = org.schema.object(object);
  return (count === 1 ? label : labelPlural).toLowerCase();
}

function lastChange(records: StoredSObject[]): number {
  return Math.max(...records.map(({ values }) => Date.parse(String(values.get('LastModifiedDate')))));
}

/** Fields that a card shows in its own places, that say nothing to a person, or that every record has. */
const NOT_FACTS =
  /^(Id|IsDeleted|CreatedDate|CreatedById|LastModifiedDate|LastModifiedById|SystemModstamp|Name|FirstName|LastName|Status|Is\w+|Has\w+)$/;

function personOf(org: Org, person: StoredSObject, records: StoredSObject[]): PersonView {
  const { object, id, values } = person;
  const name = String(values.get('Name') ?? values.get('Email') ?? values.get('Phone') ?? `${object.label} ${id}`);
  const isConverted = values.get('IsConverted') === true;
  const names = [...values.keys()].filter((field) => !NOT_FACTS.test(field) && values.get(field) !== false);
  return {
    kind: object.label,
    id,
    anchor: salesforceAnchor(id),
    name,
    initials: initialsOf(name),
    status: isConverted ? 'Converted' : valueText(org, person, 'Status'),
    facts: names.map((field) => factOf(org, person, field)),
    entries: records.map((record) => entryOf(org, record)).sort(latestFirst),
  };
}

function entryOf(org: Org, record: StoredSObject): TimelineEntry {
  const { object, id, values } = record;
  const kind = KINDS[object.name] as Kind;
  const isOpenTask = object.name === 'Task' && values.get('IsClosed') !== true;
  const due = isOpenTask ? values.get('ActivityDate') : undefined;
  const at = Date.parse(String(due ?? values.get(kind.at) ?? values.get('CreatedDate')));
  const files = filesAt(org, id);
  return {
    kind: values.get('TaskSubtype') === 'Call' ? 'call' : object.label.toLowerCase(),
    id,
    anchor: salesforceAnchor(id),
    title: String(values.get(kind.title) ?? object.label),
    at,
    when: due === undefined ? readableTime(at) : `due ${String(due)}`,
    badges: badgesOf(
      kind.badges
        .map((field) => valueText(org, record, field))
        // The usual says nothing.
        .filter((text): text is string => text !== undefined && text !== 'Normal'),
    ),
    facts: [
      ...kind.facts
        .filter((field) => values.has(field) && !(field === 'ActivityDate' && due !== undefined))
        .map((field) => factOf(org, record, field)),
      ...files.map((title): Fact => ({ label: 'File', value: title })),
    ],
    body: String(values.get(kind.body ?? '') ?? ''),
    link: undefined,
  };
}

function filesAt(org: Org, id: string): string[] {
  return org.records
    .live(org.schema.object('ContentDocumentLink'))
    .filter(({ values }) => values.get('LinkedEntityId') === id)
    .map(({ values }) => String(org.record(String(values.get('ContentDocumentId')))?.values.get('Title')));
}

function factOf(org: Org, record: StoredSObject, field: string): Fact {
  return {
    label: record.object.fields.get(field)?.label.replace(/ ID$| Only$/, '') ?? field,
    value: valueText(org, record, field) ?? '',
    isKey: /^Wrapup_(?:Key|Call_Id)__c$/.test(field),
  };
}

/** A value as a person reads it: the name of a record, a time, a duration. */
function valueText(org: Org, { object, values }: StoredSObject, field: string): string | undefined {
  const value = values.get(field);
  if (value === undefined) return undefined;
  if (field === 'CallDurationInSeconds') return readableDuration(Number(value) * 1_000);
  const type = object.fields.get(field)?.type;
  if (type === 'datetime') return readableTime(Date.parse(String(value)));
  if (type === 'reference') return String(org.record(String(value))?.values.get('Name') ?? value);
  return String(value);
}
