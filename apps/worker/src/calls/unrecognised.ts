import { type CallJob, type LedgerEntry, type Store, SYNTHETIC_ID } from '@wrapup/queue';

export interface WhyUnread {
  code: string;
  reason: string;
  hint: string;
}

/** A body that cannot be read as a call. */
export class UnrecognisedBody extends Error {
  override name = 'UnrecognisedBody';
  readonly why: WhyUnread;

  constructor(why: WhyUnread = NO_CALL_ID) {
    super(why.reason);
    this.why = why;
  }
}

const NO_CALL_ID: WhyUnread = {
  code: 'unrecognised',
  reason:
    'The body has no call id where one is known to stand: the event of a chat agent, or a shape that this version does not know.',
  hint: 'Look at it with `wrapup calls show <call id> --payload`. A version that knows the shape reads it on replay; otherwise drop it.',
};

/** Parks a call whose body cannot be read yet. What was delivered of the call before stays as it is. */
export async function parkUnrecognised(
  job: CallJob,
  entry: LedgerEntry,
  store: Store,
  why: WhyUnread = NO_CALL_ID,
): Promise<void> {
  const { source, call_id, revision } = job;
  const before = entry.revisions.find(({ hash }) => hash === revision)?.effect;
  // A rerun only makes good what a crash left undone; a person may have dropped it meanwhile.
  const stopped = before === 'unrecognised' ? entry.stopped : await store.ledger.parkUnrecognised(job, why);
  if (stopped?.state === 'parked') await store.operations.addUnresolvedCall(entry, stopped, 1);
  const body = await store.payloads.read(source, call_id, revision);
  if (body) await store.payloads.compress(source, call_id, revision, body);
  const moving = entry.deliveries.some(({ state }) => state === 'queued');
  const unread = entry.revisions.some(({ hash, effect }) => hash !== revision && !effect);
  if (!moving && !unread) await store.ledger.close(source, call_id);
}

/** Whether the call id is the voice platform's own, under which its API may know the call. */
export function isOwnId(callId: string): boolean {
  return !callId.startsWith(SYNTHETIC_ID);
}
