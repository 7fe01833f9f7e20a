/** What differs between the answers of the years in which Salesforce was recorded. */
import type { Forms } from '../../settings.ts';

interface SalesforceForm {
  /** Headers of an answer without a body, which has few. */
  withoutBody: string[];
}

const F2022: SalesforceForm = { withoutBody: ['cache-control', 'sforce-limit-info'] };

export const SALESFORCE_FORMS: Record<Forms, SalesforceForm> = {
  2022: F2022,
  2025: F2022,
  2026: { withoutBody: ['x-content-type-options'] },
};
