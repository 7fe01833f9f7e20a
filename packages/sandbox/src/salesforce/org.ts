/** One Salesforce org: what it knows, and what it let happen. Reset makes a new one. */
import { Journal } from '../journal.ts';
import { SearchIndex } from '../search-index.ts';
import type { SalesforceSandboxSettings } from '../settings.ts';
import { SalesforceGrants } from './auth/grants.ts';
import { Tokens } from './auth/tokens.ts';
import { Usage } from './http/usage.ts';
import { Deployments } from './metadata/deployments.ts';
import { Locks } from './records/locks.ts';
import { SalesforceRecords, type StoredSObject } from './records/records.ts';
import type { FieldValue } from './records/values.ts';
import { makeId, ORG_ID } from './schema/ids.ts';
import { SalesforceSchema } from './schema/schema.ts';
import { provision } from './schema/wrapup-fields.ts';
import { addSetupRecords } from './setup-records.ts';

/** A record as search sees it. */
export interface SalesforceIndexedRecord {
  id: string;
  values: ReadonlyMap<string, FieldValue>;
}

export class Org {
  readonly id = ORG_ID;
  /** The user as whom the integration works. */
  readonly userId = makeId('005', 1);
  readonly schema: SalesforceSchema;
  readonly journal = new Journal();
  readonly index = new SearchIndex<SalesforceIndexedRecord>();
  readonly records: SalesforceRecords;
  readonly tokens = new Tokens();
  readonly usage = new Usage();
  readonly locks = new Locks();
  readonly grants = new SalesforceGrants(() => this.#permissionSets());
  readonly deployments = new Deployments(this, () => this.settings.race_window);
  /** Rest of long query results, by locator. */
  readonly cursors = new Map<string, { records: object[]; total: number }>();
  readonly #settings: () => SalesforceSandboxSettings;

  /** @param provisioned begin with the custom fields that Wrapup needs, as if `provision` had run */
  constructor(settings: () => SalesforceSandboxSettings, provisioned: boolean) {
    this.#settings = settings;
    this.schema = new SalesforceSchema(() => {
      const { hidden, readOnly } = this.grants.hidden();
      const { hidden_fields, read_only_fields, person_accounts } = this.settings;
      return {
        hidden: [...hidden_fields, ...hidden],
        readOnly: [...read_only_fields, ...readOnly],
        personAccounts: person_accounts,
      };
    });
    this.records = new SalesforceRecords(this.journal, {
      changed: ({ object, id, values, deletedAt }) => {
        if (object.searchable) this.index.note(object.name, id, deletedAt ? null : { id, values: new Map(values) });
      },
    });
    addSetupRecords(this);
    if (provisioned) provision(this.schema);
  }

  /** As they are now: they can change between two requests. */
  get settings(): SalesforceSandboxSettings {
    return this.#settings();
  }

  /** Ids of the permission sets that the integration's user has. */
  #permissionSets(): string[] {
    return this.records
      .live(this.schema.object('PermissionSetAssignment'))
      .filter(({ values }) => values.get('AssigneeId') === this.userId)
      .map(({ values }) => String(values.get('PermissionSetId')));
  }

  /** The record of any object, also a deleted one. @param id of 18 characters */
  record(id: string): StoredSObject | undefined {
    const object = this.schema.byPrefix(id);
    return object && this.records.get(object, id);
  }
}
