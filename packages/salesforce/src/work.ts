import type { RecordVerbs } from '@wrapup/destination/engine';
import type { Org } from './account/schema.ts';
import type { Session } from './session.ts';
import type { SalesforceSettings } from './settings.ts';

/** What one call of `write` works with. */
export interface Work {
  session: Session;
  org: Org;
  settings: SalesforceSettings;
  crm: RecordVerbs;
  /** Where people open the org's records; undefined when that is not known. */
  org_url: string | undefined;
}
