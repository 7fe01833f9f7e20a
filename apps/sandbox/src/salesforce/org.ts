/** One Salesforce org: what it knows, and what it let happen. Reset makes a new one. */
import { Journal } from '../journal.ts';
import { SearchIndex } from '../search-index.ts';
import type { SalesforceSettings } from '../settings.ts';
import { makeId, ORG_ID } from './ids.ts';
import { Locks } from './locks.ts';
import { Records, type StoredRecord } from './records.ts';
import { Schema } from './schema/schema.ts';
import { provision } from './schema/wrapup-fields.ts';
import { settle } from './setup-records.ts';
import { Tokens } from './tokens.ts';
import { Usage } from './usage.ts';
import type { Value } from './values.ts';

/** A record as search sees it. */
export interface IndexedRecord {
  id: string;
  values: ReadonlyMap<string, Value>;
}

export class Org {
  readonly id = ORG_ID;
  /** The user as whom the integration works. */
  readonly userId = makeId('005', 1);
  readonly schema: Schema;
  readonly journal = new Journal();
  readonly index = new SearchIndex<IndexedRecord>();
  readonly records: Records;
  readonly tokens = new Tokens();
  readonly usage = new Usage();
  readonly locks = new Locks();
  /** Rest of long query results, by locator. */
  readonly cursors = new Map<string, { records: object[]; total: number }>();
  readonly #settings: () => SalesforceSettings;

  /** @param provisioned begin with the custom fields that Wrapup needs, as if `provision` had run */
  constructor(settings: () => SalesforceSettings, provisioned: boolean) {
    this.#settings = settings;
    this.schema = new Schema(() => ({
      hidden: this.settings.hidden_fields,
      readOnly: this.settings.read_only_fields,
      personAccounts: this.settings.person_accounts,
    }));
    this.records = new Records(this.journal, {
      changed: ({ object, id, values, deletedAt }) => {
        if (object.searchable) this.index.note(object.name, id, deletedAt ? null : { id, values: new Map(values) });
      },
    });
    settle(this);
    if (provisioned) provision(this.schema);
  }

  /** As they are now: they can change between two requests. */
  get settings(): SalesforceSettings {
    return this.#settings();
  }

  /** The record of any object, also a deleted one. @param id of 18 characters */
  record(id: string): StoredRecord | undefined {
    const object = this.schema.byPrefix(id);
    return object && this.records.get(object, id);
  }
}
