import type { RowPolicy } from './rows.ts';
import type { Org } from './schema.ts';
import type { Session } from './session.ts';
import type { SalesforceSettings } from './settings.ts';

/** What one call of `write` works with. */
export interface Work {
  session: Session;
  org: Org;
  settings: SalesforceSettings;
  policy: RowPolicy;
  /** Where people open the org's records; undefined when that is not known. */
  org_url: string | undefined;
}
