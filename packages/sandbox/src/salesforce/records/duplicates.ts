/**
 * Duplicate rules: the standard ones compare a new or changed person with those that are there. A rule that only warns
 * refuses too, unless the request says `allowSave=true`.
 * https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/headers_duplicaterules.htm
 */
import type { SalesforceCall } from '../http/endpoint.ts';
import { SalesforceRefusal } from '../http/refusal.ts';
import type { SObject } from '../schema/sobject.ts';
import type { StoredSObject } from './records.ts';
import type { FieldValue } from './values.ts';

type Values = ReadonlyMap<string, FieldValue | null>;

interface Rule {
  rule: string;
  matcher: string;
  /** Objects that it looks through. */
  among: string[];
}

const RULES: Record<string, Rule> = {
  Lead: { rule: 'Standard_Lead_Duplicate_Rule', matcher: 'Standard_Lead_Match_Rule_v1_0', among: ['Lead', 'Contact'] },
  Contact: {
    rule: 'Standard_Contact_Duplicate_Rule',
    matcher: 'Standard_Contact_Match_Rule_v1_1',
    among: ['Contact', 'Lead'],
  },
  Account: { rule: 'Standard_Account_Duplicate_Rule', matcher: 'Standard_Account_Match_Rule_v1_0', among: ['Account'] },
};

const PHONES = ['Phone', 'MobilePhone', 'HomePhone', 'OtherPhone'];

/** @throws Refusal DUPLICATES_DETECTED */
export function checkDuplicates(call: SalesforceCall, object: SObject, id: string | undefined, values: Values): void {
  const { duplicate_rules: mode } = call.settings;
  const rule = RULES[object.name];
  if (!rule || mode === 'off' || (mode === 'alert' && isAllowed(call))) return;
  const hits = rule.among.flatMap((name) =>
    call.org.records
      .live(call.org.schema.object(name))
      .filter((other) => other.id !== id && other.values.get('IsConverted') !== true)
      .filter((other) => (object.name === 'Account' ? isSameCompany : isSamePerson)(values, other.values)),
  );
  if (hits.length === 0) return;
  throw new SalesforceRefusal('DUPLICATES_DETECTED', 'Use one of these records?', {
    duplicates: tell(call, object, rule, mode === 'alert', hits),
  });
}

/** The header does nothing before version 52. */
function isAllowed({ headers, version }: SalesforceCall): boolean {
  const given = headers['sforce-duplicate-rule-header'] ?? '';
  return Number(version) >= 52 && /\ballowSave\s*=\s*true\b/i.test(given);
}

/** Name and one way to reach them. Fuzzier at the vendor, which finds more. */
function isSamePerson(a: Values, b: Values): boolean {
  if (!same(a.get('LastName'), b.get('LastName')) || !sameOrAbsent(a.get('FirstName'), b.get('FirstName')))
    return false;
  if (same(a.get('Email'), b.get('Email'))) return true;
  const numbers = PHONES.map((name) => digits(b.get(name))).filter(Boolean);
  return PHONES.some((name) => digits(a.get(name)) !== '' && numbers.includes(digits(a.get(name))));
}

function isSameCompany(a: Values, b: Values): boolean {
  return (
    same(a.get('Name'), b.get('Name')) &&
    (same(a.get('Phone'), b.get('Phone')) || same(a.get('Website'), b.get('Website')))
  );
}

type Given = FieldValue | null | undefined;

function same(a: Given, b: Given): boolean {
  return typeof a === 'string' && typeof b === 'string' && a.toLowerCase() === b.toLowerCase();
}

function sameOrAbsent(a: Given, b: Given): boolean {
  return (a ?? '') === '' || (b ?? '') === '' || same(a, b);
}

/** The last ten digits. */
function digits(value: Given): string {
  return typeof value === 'string' ? value.replace(/\D/g, '').slice(-10) : '';
}

function tell(
  call: SalesforceCall,
  object: SObject,
  { rule, matcher }: Rule,
  allowSave: boolean,
  hits: StoredSObject[],
): object {
  const details = /\bincludeRecordDetails\s*=\s*true\b/i.test(call.headers['sforce-duplicate-rule-header'] ?? '');
  const types = [...new Set(hits.map((hit) => hit.object.name))];
  return {
    allowSave,
    duplicateRule: rule,
    duplicateRuleEntityType: object.name,
    errorMessage: "You're creating a duplicate record. We recommend you use an existing record instead.",
    matchResults: types.map((entityType) => {
      const found = hits.filter((hit) => hit.object.name === entityType);
      return {
        entityType,
        errors: [],
        matchEngine: 'FuzzyMatchEngine',
        matchRecords: found.map((hit) => ({
          additionalInformation: [],
          fieldDiffs: [],
          matchConfidence: 100.0,
          record: {
            attributes: { type: entityType, url: `${call.root}/sobjects/${entityType}/${hit.id}` },
            Id: hit.id,
            ...(details && { Name: hit.values.get('Name') }),
          },
        })),
        rule: matcher,
        size: found.length,
        success: true,
      };
    }),
  };
}
