/** One HubSpot account: what it knows, and what it let happen. Reset makes a new one. */

import { Journal } from '../journal.ts';
import { SearchIndex } from '../search-index.ts';
import type { HubSpotSandboxSettings } from '../settings.ts';
import { OAuthTokens } from './auth/oauth.ts';
import { RateWindows } from './http/rate-windows.ts';
import { Associations } from './records/associations.ts';
import { HubSpotRecords } from './records/records.ts';
import { AssociationTypes } from './schema/association-types.ts';
import { HubSpotSchema } from './schema/schema.ts';
import { provision } from './schema/wrapup-properties.ts';
import { type HubSpotIndexedRecord, indexed } from './search/indexed-record.ts';

export const PORTAL_ID = 24_680_135;

export class Account {
  readonly portalId = PORTAL_ID;
  readonly schema = new HubSpotSchema(PORTAL_ID);
  readonly journal = new Journal();
  readonly index = new SearchIndex<HubSpotIndexedRecord>();
  readonly records: HubSpotRecords;
  readonly associations: Associations;
  readonly windows = new RateWindows();
  readonly oauth = new OAuthTokens();
  /** Where people open its records. */
  readonly uiDomain: string;
  readonly #settings: () => HubSpotSandboxSettings;

  /** @param provisioned begin with the properties that Wrapup needs, as if `provision` had run */
  constructor(settings: () => HubSpotSandboxSettings, provisioned: boolean, uiDomain = 'app.hubspot.com') {
    this.uiDomain = uiDomain;
    this.#settings = settings;
    this.records = new HubSpotRecords(this.schema, this.journal, {
      changed: (record) => this.index.note(record.type.id, record.id, indexed(record)),
      archivedHoldsUniqueValues: () => this.settings.archived_holds_unique_values,
    });
    this.associations = new Associations(
      new AssociationTypes(),
      this.journal,
      (type, id) => this.records.get(type, id) !== undefined,
    );
    if (provisioned) provision(this.schema);
  }

  /** As they are now: they can change between two requests. */
  get settings(): HubSpotSandboxSettings {
    return this.#settings();
  }
}
