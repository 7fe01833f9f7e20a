import type { WriteMode } from './plan.ts';

/**
 * What the mapping language has to know about one kind of destination, given by its adapter as data: the language
 * itself knows no vendor.
 */
export interface Dialect {
  /** `hubspot`, `salesforce`, `http`. */
  kind: string;
  person: {
    /** What `create_as` may say; the first is the default. Empty: this kind knows no persons. */
    create_as: string[];
    object: string;
    /** Property that names who a person belongs to. Absent: this kind has no owners. */
    owner?: string;
  };
  /**
   * What `associate:` can name beside a mapping's own records: the company of the person, their open deals. Absent: this
   * kind knows none.
   */
  related?: Record<string, RelatedDialect>;
  /** Record types this kind can write, by their key in the mapping (`call_log`, `tasks`, `notes`, …). */
  records: Record<string, RecordDialect>;
  /** Shipped presets by name without the kind: `call-log` -> gives its YAML. A preset that cannot be read is our own mistake: throws. */
  presets: Record<string, () => string>;
}

/** How a mapping names any object of the account. */
export interface AnyObjectDialect {
  /** An example, and where users find it. */
  such_as: string;
  /** The object in the one spelling that all of its names share, or what is wrong with the name. */
  read(name: string): string | { problem: string; hint: string };
  /** Objects of which a record has to be associated with one when it is made: a contact or a company. Absent: with none. */
  linkedTo?(object: string): readonly string[];
}

/** Records of the person's own that a record can be associated with. */
export interface RelatedDialect {
  /** The CRM's own object: `deals`. */
  object: string;
  /** Where the person has none: those of the record of this object that the person belongs to. */
  through?: string;
  /** Only those that are still open: such records can be found by that. */
  open?: true;
  /** What other kinds call it, for hints. */
  elsewhere: readonly string[];
}

export interface RecordDialect {
  /** Name in plans: `call_log`, `task`. */
  type: string;
  /** The CRM's own object: `calls`. */
  object: string;
  /** The mapping's own words and the CRM property each sets: `{ subject: { property: 'hs_task_subject', … } }`. */
  words: Record<string, WordDialect>;
  /** How its fields are written where the mapping does not say. Default `if_ours`. */
  write?: WriteMode;
  /** The same of single properties. */
  writes?: Readonly<Record<string, WriteMode>>;
  /** Properties without which the record is not written: the mapping must set them. */
  required?: string[];
  /** Records that are there can be found and changed. */
  findable?: true;
  /** Its records can have a key of their own instead of their call's. */
  keyed?: true;
  /** Its links can carry a label of the account's own. */
  labels?: true;
  /** Property that names who the record belongs to. Absent: such records have no owner. */
  owner?: string;
  /** The mapping names the CRM's object of each record itself, as `object:`; `object` above then only stands for all of them. */
  any_object?: AnyObjectDialect;
  /** Its key in mappings of earlier versions. */
  was?: string;
  /** Says what is wrong with the properties that a record sets, beyond what the language knows. Absent: any will do. */
  check?(properties: string[]): { property: string; problem: string; hint: string }[];
}

export interface WordDialect {
  property: string;
  /** How its text is written: `html` escapes what comes from the call, `text` leaves it. */
  text: 'text' | 'html';
  /** Characters the CRM takes, counted after escaping; longer text is cut with a marker. */
  limit?: number;
  /**
   * `due`: a date to compute (`due_in`), written as ISO 8601 UTC. `choice`: one of the values that the CRM's field knows, such
   * as a stage; as in `fields`, a bare text is a path, and one of the values is `{ value: … }`.
   */
  as?: 'text' | 'due' | 'body' | 'choice';
  /** The word takes a text as it stands, neither path nor placeholders. Says what it must be, or undefined when it is. */
  literal?(text: string): string | undefined;
}
