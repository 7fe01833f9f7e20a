/** Properties that HubSpot computes: the forms of telephone numbers that its search compares, full names, and whether a deal is closed. */
import { type PhoneNumber, parsePhoneNumberFromString } from 'libphonenumber-js/max';
import type { ObjectType } from '../schema/object-types.ts';
import { isClosed } from '../schema/pipelines.ts';
import type { HubSpotSchema } from '../schema/schema.ts';

/** Numbers without a country are read as those of the account's country. */
const ACCOUNT_COUNTRY = 'US';

/**
 * Search compares area code and local number, so the searchable forms leave the country code out.
 * https://developers.hubspot.com/docs/api-reference/latest/crm/search-the-crm
 */
function deriveNumber(raw: string | undefined, kind: 'phone' | 'mobile'): Record<string, string> {
  if (!raw) return {};
  const phone: PhoneNumber | undefined = parsePhoneNumberFromString(raw, ACCOUNT_COUNTRY);
  const digits = raw.replace(/\D/g, '');
  if (!phone?.isPossible()) return digits ? { [`hs_searchable_calculated_${kind}_number`]: digits } : {};
  return {
    [`hs_searchable_calculated_${kind}_number`]: phone.nationalNumber,
    [`hs_searchable_calculated_international_${kind}_number`]: phone.number.slice(1),
    [`hs_calculated_${kind}_number`]: phone.number,
    ...(kind === 'phone' && {
      hs_calculated_phone_number_country_code: phone.country ?? '',
      hs_calculated_phone_number_area_code: phone.country === 'US' ? phone.nationalNumber.slice(0, 3) : '',
    }),
  };
}

const NONE = Object.fromEntries(
  [
    ...(['phone', 'mobile'] as const).flatMap((kind) => [
      `hs_searchable_calculated_${kind}_number`,
      `hs_searchable_calculated_international_${kind}_number`,
      `hs_calculated_${kind}_number`,
    ]),
    'hs_calculated_phone_number_country_code',
    'hs_calculated_phone_number_area_code',
  ].map((name) => [name, '']),
);

const DERIVERS: Record<string, (properties: Map<string, string>) => Record<string, string>> = {
  contacts: (properties) => ({
    ...NONE,
    ...deriveNumber(properties.get('phone'), 'phone'),
    ...deriveNumber(properties.get('mobilephone'), 'mobile'),
    hs_full_name_or_email:
      [properties.get('firstname'), properties.get('lastname')].filter(Boolean).join(' ') ||
      (properties.get('email') ?? ''),
  }),
};

/** Recomputes what depends on the other properties. */
export function derive(schema: HubSpotSchema, type: ObjectType, properties: Map<string, string>): void {
  const derived = DERIVERS[type.name]?.(properties) ?? {};
  if (type.name === 'deals') derived.hs_is_closed = String(isClosed(schema, type, properties));
  for (const [name, value] of Object.entries(derived)) {
    if (value === '') properties.delete(name);
    else properties.set(name, value);
  }
}
