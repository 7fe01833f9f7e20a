/** What `check` and `provision` of every adapter make of mappings. Loaded by those who ask for it, and by no write. */
import type { Finding } from '@wrapup/findings';
import type { CompiledMapping, MappedField, ValueKind } from '@wrapup/mapping';
import { type OwnerSource, readDirectory, unknownOwners } from '../engine/owners/owners.ts';
import type { Context } from '../port/context.ts';

/** What a CRM calls those who own records, and how to give access to them. */
export interface OwnerWords {
  /** `active owner of the account` */
  owner: string;
  /** What to do when owners cannot be read. */
  access: string;
  /** How to name an owner. */
  naming: string;
}

/**
 * Compares the owners that mappings name with those of the account, which is asked only when one is named. An owner never
 * fails a delivery, so one that is not there is a warning.
 * @throws the failure of a request that may succeed another time
 */
export async function checkOwners(
  ctx: Context,
  fields: MappedField[],
  source: OwnerSource,
  { owner, access, naming }: OwnerWords,
): Promise<Finding[]> {
  const giving = fields.filter((field) => field.owners !== undefined);
  const [first] = giving;
  if (!first) return [];
  const directory = await readDirectory(ctx, source, [], true);
  if (directory.why !== undefined)
    return [
      {
        severity: 'warning',
        code: 'owners-unreadable',
        message: `${capitalise(directory.why)}: e-mail addresses of owners are passed over.`,
        hint: access,
        at: first.at,
      },
    ];
  return giving.flatMap(({ owners: named, record, at }) =>
    unknownOwners(named ?? [], directory).map(
      (name): Finding => ({
        severity: 'warning',
        code: 'unknown-owner',
        message: `${record}: “${name}” is no ${owner}, and is passed over.`,
        hint: naming,
        at,
      }),
    ),
  );
}

function capitalise(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}

/** `“a”, “b”`, each once. */
export function quoteAll(values: string[]): string {
  return [...new Set(values)].map((value) => `“${value}”`).join(', ');
}

/** Options that a finding names. */
const MAX_NAMED = 10;

/**
 * What the order of a `forward` field leaves out of the account's own options: a record that stands there is left alone.
 * @param options that the field can have
 */
export function checkOrder({ object, property, order, at }: MappedField, options: readonly string[]): Finding[] {
  if (!order) return [];
  const named = new Set(order.map((one) => one.toLowerCase()));
  const missing = options.filter((option) => !named.has(option.toLowerCase()));
  if (missing.length === 0) return [];
  const more = missing.length > MAX_NAMED ? ` and ${missing.length - MAX_NAMED} more` : '';
  return [
    {
      severity: 'warning',
      code: 'order-gap',
      message: `The order of ${object}.${property} does not name ${quoteAll(missing.slice(0, MAX_NAMED))}${more}: a record that stands there stays there.`,
      hint: 'Add them to order where a call may lead on from them.',
      at,
    },
  ];
}

/**
 * What a mapping does not write of records that it makes, although the CRM makes none without it.
 * @param crm `HubSpot`
 * @param requiredOf properties that a record of the object cannot be made without
 */
export function checkRequired(
  crm: string,
  { records, fields }: CompiledMapping,
  requiredOf: (object: string) => readonly string[],
): Finding[] {
  return records.flatMap(({ name, object, at }): Finding[] => {
    const own = fields.filter(({ record, use }) => record === name && use === 'write');
    const written = new Set(own.map(({ property }) => property));
    const missing = requiredOf(object).filter((property) => !written.has(property));
    if (missing.length === 0) return [];
    const names = missing.join(' and ');
    return [
      {
        severity: 'error',
        code: 'required-not-mapped',
        message: `${name}: ${crm} creates no ${object} without ${names}.`,
        hint: `Set ${names} in the mapping; a constant will do: { value: … }.`,
        at,
      },
    ];
  });
}

/** What a field of ours has to hold. */
export type FieldKind = 'number' | 'boolean' | 'date' | 'datetime' | 'text' | 'long_text';

/** The kind follows from the values that mappings can write, and is text where they are not known. @param same all that write it */
export function kindOfField(same: readonly MappedField[]): FieldKind {
  if (same.some(({ write }) => write === 'append')) return 'long_text';
  const values = same.flatMap((field) => field.values ?? []);
  const isKnown = values.length > 0 && same.every((field) => field.values !== undefined);
  const always = (kind: ValueKind) => same.every(({ gives }) => gives === kind);
  const are = (isOne: (value: unknown) => boolean) => isKnown && values.every(isOne);
  if (always('number') || are((value) => typeof value === 'number')) return 'number';
  if (always('datetime')) return 'datetime';
  if (always('date')) return 'date';
  const isTruth = (value: unknown) => typeof value === 'boolean' || value === 'true' || value === 'false';
  return always('boolean') || are(isTruth) ? 'boolean' : 'text';
}
