import { clean } from './clean.ts';

/** Why a delivery cannot be replayed whose payload is gone, and what helps. */
export function expired(callId: string): string {
  return `its payload has expired or was removed; wrapup backfill --call ${clean(callId)} fetches the call anew`;
}
