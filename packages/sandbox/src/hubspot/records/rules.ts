/** What a record needs besides values that are right: by its type, and by the rules of the account's administrator. */
import type { HubSpotRequest } from '../http/endpoint.ts';
import { type Detail, invalid, invalidProperties } from '../http/refusal.ts';
import type { ObjectType } from '../schema/object-types.ts';

/** Administrators' rules hold from this version on. https://developers.hubspot.com/changelog/crm-api-write-validation-enforcement */
const RULES_SINCE = '2026-09';

type Values = ReadonlyMap<string, string>;

/** @throws Refusal when the new record lacks something */
export function requireForCreate(call: HubSpotRequest, type: ObjectType, values: Values): void {
  const missing = (name: string) => !values.get(name);
  const required = type.required.filter(missing);
  const noneOf = type.oneOf?.every(missing) ? type.oneOf : [];
  if (required.length > 0 || noneOf.length > 0) {
    throw invalid(`Error creating ${type.singular.toUpperCase()}. Some required properties were not set.`, {
      context: { properties: [...required, ...noneOf] },
    });
  }
  if (!hasRules(call)) return;
  const details = (call.settings.required[type.name] ?? []).filter(missing).map((property) => ({
    property,
    code: 'MISSING_REQUIRED_PROPERTY',
    message: `Property "${property}" is required to create a ${type.singular}`,
  }));
  refuse([...details, ...missingByCondition(call, type, values)]);
}

/** @param values the record's as they would be after the change. @throws Refusal */
export function requireForUpdate(call: HubSpotRequest, type: ObjectType, values: Values): void {
  if (hasRules(call)) refuse(missingByCondition(call, type, values));
}

function missingByCondition(call: HubSpotRequest, type: ObjectType, values: Values): Detail[] {
  return (call.settings.required_when[type.name] ?? [])
    .filter(({ property, equals }) => values.get(property) === equals)
    .flatMap(({ property, equals, requires }) =>
      requires
        .filter((name) => !values.get(name))
        .map((name) => ({
          property: name,
          code: 'MISSING_CONDITIONAL_REQUIRED_PROPERTY',
          message: `Property "${name}" is required when "${property}" is ${equals}`,
        })),
    );
}

function hasRules({ version }: HubSpotRequest): boolean {
  return !version.startsWith('v') && version >= RULES_SINCE;
}

function refuse(details: Detail[]): void {
  if (details.length > 0) throw invalidProperties(details);
}
