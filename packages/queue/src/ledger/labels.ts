/** What the states of the ledger mean, as commands and pages show them. */
import type { Received, Revision, Verified } from './entry.ts';

export const RECEIVED_LABELS: Record<Received, string> = {
  webhook: 'by webhook',
  reconciled: 'found by reconciliation: its webhook never arrived',
  backfill: 'by backfill',
};

export const VERIFIED_LABELS: Record<Verified, string> = {
  signature: 'signature verified',
  api: 'read again from the Synthflow API',
  none: 'not verified: nothing was signed',
};

const EFFECT_LABELS: Record<NonNullable<Revision['effect']>, string> = {
  applied: 'applied: it replaces what came before',
  added: 'added: it fills in what was absent',
  equal: 'equal: it says nothing new, nothing was written',
  parked: 'parked: it contradicts what came before and waits for a person',
  unrecognised: 'unrecognised: it has a shape that this version does not know',
  hint: 'a hint: not trusted by itself, the call was read from the API instead',
};

/** What became of a revision. @param isFirst nothing came before it */
export function effectLabel(effect: Revision['effect'], isFirst: boolean): string {
  if (effect === undefined) return 'not read yet';
  if (effect === 'applied' && isFirst) return 'applied: it is what the call began with';
  return EFFECT_LABELS[effect] ?? effect;
}
