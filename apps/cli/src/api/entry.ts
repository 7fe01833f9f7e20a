import type { LedgerEntry } from '@wrapup/queue';

/** A call as the API has it: the fields that are read here, times as ISO 8601. */
export interface ApiCall {
  source: string;
  call_id: string;
  received: LedgerEntry['received'];
  received_at: string;
  verified: LedgerEntry['verified'];
  outcome?: string;
  status?: string;
  direction?: string;
  agent_id?: string;
  ended_at?: string;
  routed: boolean;
  revisions: (Omit<LedgerEntry['revisions'][number], 'at'> & { at: string })[];
  notes: string[];
  deliveries: ApiDelivery[];
  stopped?: Omit<NonNullable<LedgerEntry['stopped']>, 'at' | 'dropped'> & { at: string; dropped?: ApiNote };
  waiting?: Omit<NonNullable<LedgerEntry['waiting']>, 'since'> & { since: string };
  forgotten?: ApiNote;
}

interface ApiNote {
  at: string;
  by?: string;
  reason?: string;
  person?: string;
}

type ApiDelivery = Omit<
  LedgerEntry['deliveries'][number],
  'since' | 'candidates' | 'chosen' | 'replayed' | 'dropped'
> & {
  since: string;
  candidates?: { id: string; url?: string }[];
  chosen?: ApiNote;
  replayed?: ApiNote;
  dropped?: ApiNote;
};

const noted = (note: ApiNote | undefined) => (note ? { ...note, at: Date.parse(note.at) } : undefined);

/** The call as the ledger has it, so that it is shown as without `--api`. */
export function entryOf(call: ApiCall): LedgerEntry {
  const { received_at, ended_at, revisions, deliveries, stopped, waiting, forgotten, ...plain } = call;
  return {
    ...plain,
    received_at: Date.parse(received_at),
    ...(ended_at === undefined ? {} : { ended_at: Date.parse(ended_at) }),
    revisions: revisions.map((one) => ({ ...one, at: Date.parse(one.at) })),
    deliveries: deliveries.map(({ since, candidates, chosen, replayed, dropped, ...delivery }) => ({
      ...delivery,
      since: Date.parse(since),
      ...(candidates
        ? {
            candidates: candidates.map(({ id }) => id),
            candidate_urls: Object.fromEntries(candidates.flatMap(({ id, url }) => (url ? [[id, url]] : []))),
          }
        : {}),
      ...(chosen ? { chosen: noted(chosen) } : {}),
      ...(replayed ? { replayed: noted(replayed) } : {}),
      ...(dropped ? { dropped: noted(dropped) } : {}),
    })),
    ...(stopped ? { stopped: { ...stopped, at: Date.parse(stopped.at), dropped: noted(stopped.dropped) } } : {}),
    ...(waiting ? { waiting: { ...waiting, since: Date.parse(waiting.since) } } : {}),
    ...(forgotten ? { forgotten: Date.parse(forgotten.at), forgotten_by: forgotten.by } : {}),
  } as LedgerEntry;
}
