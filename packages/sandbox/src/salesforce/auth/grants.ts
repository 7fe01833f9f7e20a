/**
 * Who sees which custom fields. Fields that came by a deployment are closed until a permission set that opens them is
 * assigned to the user; all others are open.
 */
export interface FieldGrant {
  /** `Lead.Key__c`; for a field of Activity also `Task.…` and `Event.…`. */
  field: string;
  editable: boolean;
}

export class SalesforceGrants {
  /** `Lead.Key__c` of fields that need a grant. */
  readonly #closed = new Set<string>();
  readonly #sets = new Map<string, FieldGrant[]>();
  /** Permission sets that the user has, as they are now. */
  readonly #assigned: () => string[];

  constructor(assigned: () => string[]) {
    this.#assigned = assigned;
  }

  close(object: string, field: string): void {
    this.#closed.add(`${object}.${field}`);
  }

  /** @param id of the permission set */
  define(id: string, grants: FieldGrant[]): void {
    this.#sets.set(id, grants);
  }

  /** Fields that the user does not see, and those that the user sees and may not write. */
  hidden(): { hidden: string[]; readOnly: string[] } {
    if (this.#closed.size === 0) return { hidden: [], readOnly: [] };
    const granted = this.#assigned().flatMap((id) => this.#sets.get(id) ?? []);
    const open = (field: string, editable: boolean) =>
      granted.some((grant) => namesOf(field).includes(grant.field) && (grant.editable || !editable));
    return {
      hidden: [...this.#closed].filter((field) => !open(field, false)),
      readOnly: [...this.#closed].filter((field) => open(field, false) && !open(field, true)),
    };
  }
}

/** A field of Activity is granted by any of its names: which of them an org takes is not documented. */
function namesOf(field: string): string[] {
  const [object = '', name = ''] = field.split('.');
  return object === 'Activity' ? [field, `Task.${name}`, `Event.${name}`] : [field];
}
