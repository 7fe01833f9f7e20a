/** The sandbox's Salesforce org for the replay of recorded answers. */
import type { RunningSandbox } from '@wrapup/sandbox';
import type { RecordedAnswer } from './recordings.ts';
import { send } from './send.ts';

export const ROOT = '/services/data/v60.0';
export type Row = Record<string, unknown>;

/** What the sandbox's own objects are: the first characters of their ids, and the types of their fields. */
export type KnownObjects = ReadonlyMap<string, { prefix: string; fields: ReadonlyMap<string, string> }>;

export async function knownObjects(sandbox: RunningSandbox): Promise<KnownObjects> {
  const headers = { authorization: `Bearer ${sandbox.salesforce.token()}` };
  const read = async (path: string) =>
    (await send(`${sandbox.salesforceUrl}${ROOT}${path}`, 'GET', undefined, headers)).body;
  const { sobjects } = (await read('/sobjects')) as { sobjects: { name: string; keyPrefix: string }[] };
  const described = sobjects.map(async ({ name, keyPrefix }) => {
    const { fields } = (await read(`/sobjects/${name}/describe`)) as { fields: { name: string; type: string }[] };
    return [name, { prefix: keyPrefix, fields: new Map(fields.map((field) => [field.name, field.type])) }] as const;
  });
  return new Map(await Promise.all(described));
}

const SYSTEM = ['Id', 'Name', 'OwnerId', 'CreatedDate', 'LastModifiedDate', 'SystemModstamp', 'IsDeleted'];

/** What records of any object are seeded with; each takes what it has. */
const SKELETON = new Set(['Name', 'LastName', 'Company', 'Phone', 'Email', 'IsConverted']);

/** The sandbox's org as a recording sees it: what it lacks is defined under another name, and named back in answers. */
export class ReplayOrg {
  readonly #sandbox: RunningSandbox;
  readonly #known: KnownObjects;
  readonly #objects = new Map<string, string>();
  readonly #renamed = new Map<string, string>();
  readonly #defined = new Set<string>();

  constructor(sandbox: RunningSandbox, known: KnownObjects) {
    this.#sandbox = sandbox;
    this.#known = known;
  }

  /** The object that stands for it. */
  objectOf(name: string): string {
    const own = this.#known.has(name) ? name : `${name.replace(/__c$/, '')}__c`;
    if (own !== name && !this.#objects.has(name)) {
      this.#sandbox.control.seed({ salesforce: { custom_objects: [{ name: own }] } });
      this.#renamed.set(own, name);
    }
    this.#objects.set(name, own);
    return own;
  }

  prefix(object: string): string {
    return this.#known.get(object)?.prefix ?? 'a00';
  }

  #typeOf(object: string, name: string): string | undefined {
    return (
      this.#known.get(object)?.fields.get(name) ??
      (SYSTEM.includes(name) && !this.#known.has(object) ? 'system' : undefined)
    );
  }

  /** The field that stands for it. */
  nameOf(object: string, name: string): string {
    return this.#typeOf(object, name) ? name : `${name.replace(/__c$/, '')}__c`;
  }

  /** Whether there is a field for it: nested records have none. */
  has(object: string, name: string): boolean {
    return this.#typeOf(object, name) !== undefined || this.#defined.has(`${object}.${this.nameOf(object, name)}`);
  }

  /** Values under the sandbox's names, fields defined where they are new. @param emails labels of the fields that hold addresses */
  row(object: string, given: Row, emails: Record<string, string> = {}): Row {
    this.objectOf(object);
    const row: Row = {};
    for (const [name, value] of Object.entries(given)) {
      if (
        name === 'attributes' ||
        name === 'Id' ||
        !/^[A-Za-z]/.test(name) ||
        (typeof value === 'object' && value !== null)
      )
        continue;
      const type = this.#typeOf(object, name);
      // They name what only the recorded org had.
      if (type === 'reference' || type === 'picklist') continue;
      const custom = this.nameOf(object, name);
      if (type === undefined) this.#define(object, custom, name, value, emails[name]);
      row[custom] = typeof value === 'string' && type === undefined ? value.slice(0, 255) : value;
    }
    return row;
  }

  #define(object: string, custom: string, name: string, value: unknown, email: string | undefined): void {
    if (custom !== name) this.#renamed.set(custom, name);
    if (this.#defined.has(`${object}.${custom}`)) return;
    this.#defined.add(`${object}.${custom}`);
    const spec =
      email === undefined
        ? { name: custom, type: typeOf(value) }
        : { name: custom, type: 'email' as const, label: email };
    this.#sandbox.control.seed({ salesforce: { fields: { [this.objectOf(object)]: [spec] } } });
  }

  /** @returns the ids of the new records */
  seed(object: string, records: Row[]): string[] {
    const own = this.objectOf(object);
    return records.flatMap((record) => {
      const fits = (name: string) =>
        'attributes' in record || !SKELETON.has(name) || this.#typeOf(object, name) !== undefined;
      const row = this.row(object, Object.fromEntries(Object.entries(record).filter(([name]) => fits(name))));
      return this.#sandbox.control.seed({ salesforce: { records: { [own]: [row] } } })[own] ?? [];
    });
  }

  /** The answer with the names that the vendor's own objects and fields have. */
  named(answer: RecordedAnswer): RecordedAnswer {
    const text = JSON.stringify(answer.body ?? null).replace(/\b\w+__c\b/g, (name) => this.#renamed.get(name) ?? name);
    return { ...answer, body: JSON.parse(text) };
  }
}

function typeOf(value: unknown): 'string' | 'boolean' | 'double' | 'datetime' {
  if (typeof value === 'boolean') return 'boolean';
  if (typeof value === 'number') return 'double';
  return typeof value === 'string' && /^\d{4}-\d\d-\d\dT[\d:.]+\+0000$/.test(value) ? 'datetime' : 'string';
}
