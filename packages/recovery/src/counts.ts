/** Calls by what a comparison found. Every listed call is in exactly one of the others, but for `enqueued`. */
export interface CallCounts {
  /** Calls that the voice platform lists. */
  listed: number;
  /** Of which the ledger has them. */
  known: number;
  /** Of which it has not, although their webhook is overdue. */
  missing: number;
  /** Missing ones that were enqueued: none under `plan`, fewer when the run was interrupted. */
  enqueued: number;
  /** Ended so recently that their webhook may still come. */
  young: number;
  /** Still going on, as the platform says. */
  unfinished: number;
  /** Webhook logs whose payload is gone, or has a call id in no known shape: chats, for one. */
  unreadable: number;
}

export function zeroCounts(): CallCounts {
  return { listed: 0, known: 0, missing: 0, enqueued: 0, young: 0, unfinished: 0, unreadable: 0 };
}

/** Adds what was found to `into`. */
export function addCounts(into: CallCounts, found: Readonly<CallCounts>): void {
  for (const key of Object.keys(into) as (keyof CallCounts)[]) into[key] += found[key];
}

/** Reads what Redis holds of a run or checkpoint. Version 0.1 named the counts `tally`. */
export function parseStored<Stored>(text: string): Stored {
  return JSON.parse(text.replace('"tally":{', '"counts":{')) as Stored;
}
