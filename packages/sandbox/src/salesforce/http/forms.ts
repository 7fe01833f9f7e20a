/** What differs between the answers of the years in which Salesforce was recorded. */
import { FORMS, type Forms } from '../../settings.ts';

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

/** The years whose answers differ; of years that are alike, the last. */
export const SALESFORCE_YEARS: readonly Forms[] = FORMS.filter(
  (year, index) => !FORMS.slice(index + 1).some((later) => SALESFORCE_FORMS[later] === SALESFORCE_FORMS[year]),
);
