/** What looking for calls came to. Every listed call is in exactly one of the others, but for `enqueued`. */
export interface Tally {
  /** Calls that the voice platform lists. */
  listed: number;
  /** Of which the ledger knows. */
  known: number;
  /** Of which it does not, although their webhook should have come long ago. */
  missing: number;
  /** Missing ones that were put on their way; fewer when that was only asked, or was cut short. */
  enqueued: number;
  /** That ended so short a time ago that their webhook may still come. */
  young: number;
  /** That still go on, by what the platform says. */
  unfinished: number;
  /** Webhook logs whose payload is gone, or has a call id in no known shape: chats, for one. */
  unreadable: number;
}

export function emptyTally(): Tally {
  return { listed: 0, known: 0, missing: 0, enqueued: 0, young: 0, unfinished: 0, unreadable: 0 };
}

/** Adds what was found to `into`. */
export function addTally(into: Tally, found: Readonly<Tally>): void {
  for (const key of Object.keys(into) as (keyof Tally)[]) into[key] += found[key];
}
