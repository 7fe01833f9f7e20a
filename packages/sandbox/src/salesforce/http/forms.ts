/** What differs between the answers of the years in which Salesforce was recorded. */
import type { Forms } from '../../settings.ts';

interface SalesforceForm {
  /** An answer without a body says how many requests are used, as all others do. */
  usageWithoutBody: boolean;
}

export const SALESFORCE_FORMS: Record<Forms, SalesforceForm> = {
  2022: { usageWithoutBody: true },
  2025: { usageWithoutBody: true },
  2026: { usageWithoutBody: false },
};
