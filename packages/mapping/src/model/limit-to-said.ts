import { type FieldWrite, type LeftOut, ONLY_SAID, type Plan, type RecordPlan } from './plan.ts';

/** What a record says first that is written for a person whom only speech named. */
export const SAID_MARK = 'Unverified person';

/** Records that the person gets all the same. */
const KEPT: ReadonlySet<string> = new Set(['call_log', 'task']);

/**
 * The plan for a person who was found only by what was said: every caller can say any address. Nothing of the person
 * is written; of the records the call log and the tasks, marked in what people read first. Pure; a plan that is limited
 * already stays as it is.
 */
export function limitToSaid(plan: Plan): Plan {
  const { person, records } = plan;
  if (!person) return plan;
  const { owner, ...rest } = person;
  const kept = records.filter(({ type }) => KEPT.has(type));
  const names = new Set(['person', ...kept.map(({ name }) => name)]);
  const left: LeftOut[] = [
    ...person.fields.map(({ name, at }) => ({ field: `person.${name}`, reason: ONLY_SAID, at })),
    ...(owner ? [{ field: `person.${owner.property}`, reason: ONLY_SAID, at: owner.at }] : []),
    ...records.filter((record) => !kept.includes(record)).flatMap(leaveOut),
  ];
  return {
    ...plan,
    person: { ...rest, fields: [] },
    records: kept.map((record) => mark(withoutOthers(record, names))),
    left_out: [...plan.left_out, ...left],
  };
}

/** A record without fields stands nowhere in the mapping that could be named. */
function leaveOut({ name, fields: [first] }: RecordPlan): LeftOut[] {
  return first ? [{ field: name, reason: ONLY_SAID, at: first.at }] : [];
}

function withoutOthers(record: RecordPlan, names: ReadonlySet<string>): RecordPlan {
  const { labels, ...rest } = record;
  const associate = record.associate.filter((name) => names.has(name));
  const kept = labels && Object.fromEntries(Object.entries(labels).filter(([name]) => names.has(name)));
  return { ...rest, associate, ...(kept ? { labels: kept } : {}) };
}

function mark(record: RecordPlan): RecordPlan {
  const { headline, fields } = record;
  if (headline === undefined) return record;
  const written = fields.find(({ name }) => name === headline);
  if (!written) {
    const at = fields[0]?.at ?? { file: '', line: 1, column: 1 };
    return { ...record, fields: [{ name: headline, value: SAID_MARK, write: 'if_ours', at }, ...fields] };
  }
  return { ...record, fields: fields.map((field) => (field === written ? marked(field) : field)) };
}

function marked(field: FieldWrite): FieldWrite {
  const text = field.value === null ? '' : String(field.value);
  if (text.startsWith(SAID_MARK)) return field;
  return { ...field, value: text === '' ? SAID_MARK : `${SAID_MARK}: ${text}` };
}
