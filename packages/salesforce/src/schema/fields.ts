/** Fields of a plan as one object of the org takes them: given its types, and without what it refuses. Pure. */
import type { OmissionCode } from '@wrapup/destination';
import type { FittedFields } from '@wrapup/destination/engine';
import type { FieldWrite } from '@wrapup/mapping';
import { OWNER } from '../client/objects.ts';
import { SalesforceFailure } from '../errors/classify.ts';
import { adviceOn } from '../errors/error-table.ts';
import type { OrgDefinitions, OrgObject } from './org.ts';
import { fitValue } from './values.ts';

interface Fitting {
  verb: 'create' | 'update';
  time_zone: string;
  /** False: a refused field fails the record instead of being left out. */
  drop: boolean;
  /** Fields without which the record would be something else: never left out. */
  required?: ReadonlySet<string>;
  /** True for a field that belongs to another kind of person, and is rightly absent here. */
  elsewhere?(name: string): boolean;
}

/** Whom a record belongs to never fails it. */
const ALWAYS_DROPPED: ReadonlySet<string> = new Set([OWNER]);

export function fitFields(object: OrgObject, fields: FieldWrite[], fitting: Fitting): FittedFields {
  const cut = new Map<string, string>();
  const result: FittedFields = { fields: [], dropped: [], cut };
  for (const field of fields) {
    const fitted = fitOne(object, field, fitting);
    if (fitted === undefined) continue;
    if (fitted instanceof SalesforceFailure) {
      const may = (fitting.drop || ALWAYS_DROPPED.has(field.name)) && !fitting.required?.has(field.name);
      if (may) result.dropped.push({ property: field.name, failure: fitted });
      else result.refused ??= fitted;
      continue;
    }
    if (fitted.whole !== undefined) cut.set(field.name, fitted.whole);
    result.fields.push(fitted.field);
  }
  return result;
}

function fitOne(
  object: OrgObject,
  field: FieldWrite,
  { verb, time_zone, elsewhere }: Fitting,
): { field: FieldWrite; whole?: string } | SalesforceFailure | undefined {
  const { name, value } = field;
  const known = object.fields.get(name);
  if (!known)
    return elsewhere?.(name)
      ? undefined
      : refuse(
          'missing_property',
          object,
          name,
          'the org has no such field, or the user does not see it',
          adviceOn(name),
          'missing_property',
        );
  const writable = verb === 'create' ? known.createable : known.updateable;
  if (!writable) {
    // Set when the record was made, and for good.
    if (verb === 'update' && known.createable) return undefined;
    return refuse('missing_property', object, name, 'the user may not write the field', ACCESS, 'missing_property');
  }
  // Of an appended text only the block is known here; it is cut where the whole is.
  if (field.write === 'append') return { field };
  const fitted = fitValue(known, value, time_zone);
  if (!fitted.ok)
    return refuse(
      'invalid_field',
      object,
      name,
      `the value does not fit, since ${fitted.why}`,
      CORRECT,
      fitted.omits ?? 'invalid_value',
    );
  return {
    field: { ...field, value: fitted.value },
    ...(fitted.cut === undefined ? {} : { whole: String(value) }),
  };
}

/** A mapping speaks of leads and contacts in one breath: what only the other kind has is no mistake. */
export function isOfOtherPerson(org: OrgDefinitions, object: OrgObject, name: string): boolean {
  return ['Lead', 'Contact'].some((other) => other !== object.name && org.object(other)?.fields.has(name));
}

const ACCESS = 'Give the integration user access to the field (a permission set), then replay.';
const CORRECT = 'Correct the value or its transform in the mapping, then replay.';

function refuse(
  code: 'missing_property' | 'invalid_field',
  object: OrgObject,
  field: string,
  says: string,
  hint: string,
  omits: OmissionCode,
): SalesforceFailure {
  return new SalesforceFailure(code, `${object.name}.${field}: ${says}.`, { field, hint, omits }, { fields: [field] });
}
