/** What a call says of its person beside what a CRM has of each candidate. Pure. */
import { type Call, emailForm, type Json, parsePhone } from '@wrapup/call';
import type { PersonRecord } from '@wrapup/destination';
import type { PersonPlan, Value } from '@wrapup/mapping';

/** How a candidate's value stands to that of the call: nothing where the call says none. */
export type Agreement = 'agrees' | 'differs' | 'empty';

export interface ComparedRow {
  label: string;
  /** Of the call. */
  said?: string | undefined;
  /** Of each candidate, in their order. */
  candidates: { value?: string | undefined; is?: Agreement | undefined }[];
}

/** Fields that hold what the first rows say already. */
const IDENTITY = /^(first|last|middle)?_?name$|^e?mail$|phone|company/i;
const COMPANY = /^company(_?name)?$/i;

/** @param candidates as the CRM says them now; one without `properties` is gone */
export function compareCandidates(
  { lead, vars }: Pick<Call, 'lead' | 'vars'>,
  person: Pick<PersonPlan, 'fields'> | null,
  candidates: readonly (PersonRecord | { id: string })[],
): ComparedRow[] {
  const known = candidates.map((one) => ('object' in one ? one : undefined));
  const row = (
    label: string,
    said: string | undefined,
    read: (one: PersonRecord) => string | undefined,
    agrees: (said: string, value: string) => boolean,
  ): ComparedRow => ({
    label,
    said,
    candidates: known.map((one) => {
      const value = one && (read(one) || undefined);
      if (said === undefined || !one) return { value };
      return { value, is: value === undefined ? 'empty' : agrees(said, value) ? 'agrees' : 'differs' };
    }),
  });
  const name = lead.name ?? ([lead.first_name, lead.last_name].filter(Boolean).join(' ') || undefined);
  const company = textOf(Object.entries(vars).find(([key]) => COMPANY.test(key))?.[1]);
  const rows = [
    row('Name', name, ({ who }) => who?.name, sameWords),
    row(
      'Phone',
      lead.phone ?? lead.phone_raw,
      ({ who }) => who?.phone,
      (a, b) => samePhone(a, b, lead.country),
    ),
    row(
      'E-mail',
      lead.email ?? lead.said_email,
      ({ who }) => who?.email,
      (a, b) => emailForm(a) === emailForm(b),
    ),
    row('Company', company, ({ who }) => who?.company, sameWords),
    ...(person?.fields ?? [])
      .filter((field) => !IDENTITY.test(field.name))
      .map(({ name: field, value }) =>
        row(
          field,
          textOf(value),
          ({ properties }) => textOf(properties[field]),
          (a, b) => plain(a) === plain(b),
        ),
      ),
  ];
  return rows.filter(
    ({ said, candidates: cells }) => said !== undefined || cells.some(({ value }) => value !== undefined),
  );
}

/** How many fields of each candidate agree and differ. */
export function countAgreements(rows: readonly ComparedRow[], candidate: number): { agrees: number; differs: number } {
  const all = rows.map(({ candidates }) => candidates[candidate]?.is);
  return {
    agrees: all.filter((is) => is === 'agrees').length,
    differs: all.filter((is) => is === 'differs').length,
  };
}

function textOf(value: Value | Json | undefined): string | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Without case, accents, and blanks that are more than one. */
function plain(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[\s.,]+/g, ' ')
    .trim();
}

/** Whether one of them has all words of the other: callers leave out what a CRM has in full. */
function sameWords(one: string, other: string): boolean {
  const [some, all] = [new Set(plain(one).split(' ')), new Set(plain(other).split(' '))];
  return some.isSubsetOf(all) || all.isSubsetOf(some);
}

function samePhone(one: string, other: string, country: string | undefined): boolean {
  const [a, b] = [parsePhone(one, country), parsePhone(other, country)];
  return a !== undefined && b !== undefined ? a.e164 === b.e164 : one.replace(/\D/g, '') === other.replace(/\D/g, '');
}
