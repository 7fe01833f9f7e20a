/** What the ledger and the log say of an attempt that failed. */
import type { Failure } from '@wrapup/destination';
import type { DeliveryEntry } from '@wrapup/queue';

/** Candidates of an ambiguous match that the ledger keeps. */
const MAX_CANDIDATES = 20;

/** A delivery that is not, or no longer, stopped by an ambiguous match. */
export const NOT_AMBIGUOUS = { candidates: null, candidate_urls: null, ambiguous: null } as const;

/** Codes after which a choice holds no more: the person who was chosen is not among those found. */
const ENDS_CHOICE: ReadonlySet<string> = new Set<Failure['code']>(['ambiguous_person', 'unmatched_person']);

/** Between whom a person has to choose, where that is why it stopped. @param ambiguous what a choice for later calls would be kept under */
export function ambiguityOf({ code, details }: Failure, ambiguous: DeliveryEntry['ambiguous']) {
  const candidates = details.candidates?.slice(0, MAX_CANDIDATES) ?? [];
  const urls = Object.entries(details.candidate_urls ?? {}).filter(([id]) => candidates.includes(id));
  return {
    ...NOT_AMBIGUOUS,
    ...(candidates.length > 0 ? { candidates } : {}),
    ...(urls.length > 0 ? { candidate_urls: Object.fromEntries(urls) } : {}),
    ...(ambiguous ? { ambiguous } : {}),
    ...(ENDS_CHOICE.has(code) ? { chosen: null } : {}),
  };
}

/** The message, with what the vendor called it and where the mapping wrote it. */
export function describeFailure({ message, details }: Failure): string {
  const place = details.at ? ` (mapping ${details.at.file}:${details.at.line})` : '';
  const vendor = details.vendor_code ? ` [${details.vendor_code}]` : '';
  const candidates = details.candidates?.length
    ? // Announced one by one: what keeps telephone numbers off pages and logs leaves announced ids alone.
      ` Candidates: ${details.candidates
        .slice(0, MAX_CANDIDATES)
        .map((id) => `id ${id}`)
        .join(', ')}.`
    : '';
  return `${message}${vendor}${place}${candidates}`;
}
