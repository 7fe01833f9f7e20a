/** What differs between the answers of the years in which HubSpot was recorded. */
import type { Forms } from '../../settings.ts';

interface HubSpotForm {
  /** The refusal of a whole request lists its details in `errors[]` too, not only in the message. */
  detailsInErrors: boolean;
  /** Records carry the address under which people open them. */
  recordUrls: boolean;
  /** Definitions of properties carry `dataSensitivity`, and the ids of the users who made and changed them. */
  dataSensitivity: boolean;
  /** A row that meets another contact names it in its context, and the refusal of a whole batch names none. */
  existingId: boolean;
  /** An update of a contact answers neither its id among the properties nor when it was created. */
  sparseContacts: boolean;
  /** Missing scopes stand in the context of the refusal, not in a detail. */
  scopesInContext: boolean;
  /** Status of a search beyond its limit; 500 was seen once, in 2023. */
  searchLimitStatus: number;
}

const F2022: HubSpotForm = {
  detailsInErrors: false,
  recordUrls: false,
  dataSensitivity: false,
  existingId: false,
  sparseContacts: true,
  scopesInContext: false,
  searchLimitStatus: 429,
};

const F2026: HubSpotForm = {
  detailsInErrors: true,
  recordUrls: true,
  dataSensitivity: true,
  existingId: true,
  sparseContacts: false,
  scopesInContext: true,
  searchLimitStatus: 429,
};

export const HUBSPOT_FORMS: Record<Forms, HubSpotForm> = {
  2022: F2022,
  2025: { ...F2026, scopesInContext: false, searchLimitStatus: 500 },
  2026: F2026,
};

/** A moment as HubSpot writes it: without milliseconds where they are zero. */
export function formatMoment(at: Date): string {
  return at.toISOString().replace('.000Z', 'Z');
}
