import type { Place } from '@wrapup/findings';
import type { LeftOut, UnusableCode } from '@wrapup/mapping';

/** What a reason means, and what to do about it where the CRM says nothing more exact. */
interface OmissionMeaning {
  /** What happened, as the end of "left out: …". */
  says: string;
  hint: string;
}

const CORRECT = 'Correct the line of the mapping, or what the agent collects; then replay.';

/**
 * Why a field of a call that was written is not in the CRM. Stable codes: they are counted, and stand in the ledger and in
 * metrics. The first ones come from the mapping, the others from the account.
 */
export const OMISSIONS = {
  unreadable_number: { says: 'no writing reads it as a number', hint: CORRECT },
  ambiguous_number: {
    says: 'two countries read it as two numbers',
    hint: 'Say in the mapping how numbers are written, number: en or number: de; then replay.',
  },
  unreadable_date: { says: 'it is no date or time that can be read', hint: CORRECT },
  unreadable_value: { says: 'the transform can make nothing of it', hint: CORRECT },
  unmapped_value: {
    says: 'the mapping’s table or order does not have it',
    hint: 'Add what calls say there to map: or order:, or a default; then replay.',
  },
  unknown_option: {
    says: 'the account has no such option',
    hint: 'Add the option in the CRM, or change the value in the mapping; then replay.',
  },
  missing_property: {
    says: 'the account has no such field, or it may not be written',
    hint: 'Create the field in the CRM, or take it out of the mapping; then replay.',
  },
  unknown_owner: {
    says: 'it names no active user of the account',
    hint: 'Name an active owner in the mapping; then replay.',
  },
  read_only: { says: 'the field is read-only', hint: 'Take it out of the mapping.' },
  too_long: { says: 'it is too long for the field', hint: 'Cut it in the mapping; then replay.' },
  taken_value: {
    says: 'another record holds the value, which must be unique',
    hint: 'Merge the two records in the CRM; then replay.',
  },
  invalid_value: {
    says: 'it does not fit the field',
    hint: 'Correct the value or its transform in the mapping; then replay.',
  },
} as const satisfies Record<UnusableCode | (string & {}), OmissionMeaning>;
export type OmissionCode = keyof typeof OMISSIONS;

/** A field, or a whole record, that a call says something for and that was left out. Without the value: it may be personal. */
export interface Omission {
  code: OmissionCode;
  /** `person`, `call_log`, or the record's name in the mapping. */
  record: string;
  /** The CRM's property. Absent: the record as a whole. */
  field?: string;
  /** What happened, a sentence or its end, in the words of what refused it; scrubbed. */
  reason: string;
  /** What to do. Absent: as the code has it. */
  hint?: string;
  /** The line of the mapping that writes it. */
  at: Place;
}

/** What a receipt says beside its records: an omission, or anything else in words. Entries of earlier versions have words only. */
export type ReceiptNote = string | Omission;

export function isOmission(note: ReceiptNote): note is Omission {
  return typeof note === 'object';
}

/** `person.budget`; the record's name where all of it is left out. */
export function nameOmitted({ record, field }: Pick<Omission, 'record' | 'field'>): string {
  return field === undefined ? record : `${record}.${field}`;
}

export function hintOf({ code, hint }: Pick<Omission, 'code' | 'hint'>): string {
  return hint ?? OMISSIONS[code]?.hint ?? '';
}

/** The note in words. */
export function describeNote(note: ReceiptNote): string {
  if (!isOmission(note)) return note;
  const reason = note.reason.replace(/\.$/, '');
  return `${nameOmitted(note)} was left out: ${reason} (${note.at.file}:${note.at.line}). ${hintOf(note)}`.trimEnd();
}

/** What a mapping could make nothing of, for the receipt: without what the call says there. */
export function omissionsOf({ left_out }: { left_out: LeftOut[] }): Omission[] {
  return left_out.flatMap(({ field: name, reason, at, unusable }) => {
    if (!unusable) return [];
    const dot = name.indexOf('.');
    const [record, field] = dot < 0 ? [name] : [name.slice(0, dot), name.slice(dot + 1)];
    return [{ code: unusable, record: record as string, ...(field === undefined ? {} : { field }), reason, at }];
  });
}

/** Notes without those that say the same twice. */
export function distinctNotes(notes: ReceiptNote[]): ReceiptNote[] {
  return [...new Map(notes.map((note) => [describeNote(note), note])).values()];
}
