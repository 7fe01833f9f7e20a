export type UnresolvedState = 'parked' | 'dead';

/** Which of the deliveries and calls that are unresolved. */
export interface UnresolvedFilter {
  client?: string | undefined;
  source?: string | undefined;
  route?: string | undefined;
  connection?: string | undefined;
  /** Any of these codes. */
  codes?: readonly string[] | undefined;
  /** What code and reason contain; upper and lower case of ASCII do not matter. Not indexed: each item is read. */
  text?: string | undefined;
  /** Keyed digest of the number or address that several people have, as the ledger keeps it. Not indexed: each item is read. */
  digest?: string | undefined;
  /** Epoch ms: stopped then or later. */
  since?: number | undefined;
  /** Epoch ms: stopped then or before. */
  until?: number | undefined;
}

/** Whether what the filter means is known only once each item has been read. */
export function isSearch({ text, digest }: UnresolvedFilter): boolean {
  return Boolean(text) || digest !== undefined;
}
