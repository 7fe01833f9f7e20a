/** What the reader chose by. */
export interface UnresolvedQuery {
  route?: string;
  connection?: string;
  source?: string;
  /** One code, exactly. */
  code?: string;
  /** Part of a code, or of what reasons say. */
  reason?: string;
  /** A duration: stopped within it. */
  since?: string;
  /** Dates and times, in the time zone of the reader: stopped between them. */
  from?: string;
  to?: string;
}

/** An address of these pages for the same choice. */
export function addressOf(path: string, query: UnresolvedQuery, further: Record<string, string> = {}): string {
  const parameters = new URLSearchParams({ ...query, ...further }).toString();
  return parameters ? `${path}?${parameters}` : path;
}
