/**
 * How many requests the org has had: the whole org's, not only ours. There is no 429 and no Retry-After; the header tells,
 * and at the end everything is refused.
 * https://developer.salesforce.com/docs/platform/salesforce-app-limits-cheatsheet/guide/salesforce-app-limits-platform-api.html
 */
import type { SalesforceLimits } from '../../settings.ts';
import { SalesforceRefusal } from './refusal.ts';

export class Usage {
  #counted = 0;

  /** @throws Refusal 403 when nothing is left */
  take({ daily, used }: SalesforceLimits): void {
    if (daily !== null && used + this.#counted >= daily) {
      throw new SalesforceRefusal('REQUEST_LIMIT_EXCEEDED', 'TotalRequests Limit exceeded.', { status: 403 });
    }
    this.#counted += 1;
  }

  used({ used }: SalesforceLimits): number {
    return used + this.#counted;
  }

  headers(limits: SalesforceLimits): Record<string, string> {
    return limits.daily === null ? {} : { 'sforce-limit-info': `api-usage=${this.used(limits)}/${limits.daily}` };
  }
}
