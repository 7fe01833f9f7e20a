/** Findings of `check` that every adapter makes. */

import type { Finding } from '@wrapup/findings';
import type { MappedField } from '@wrapup/mapping';
import type { Context } from '../../port/context.ts';
import { type OwnerSource, readDirectory, unknownOwners } from './owners.ts';

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
