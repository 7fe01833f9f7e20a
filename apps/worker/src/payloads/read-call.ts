import type { Call } from '@wrapup/call';
import type { Source } from '@wrapup/config';
import { type KeptPayload, type LedgerEntry, type Peeked, type Store, SYNTHETIC_ID } from '@wrapup/queue';
import { JsonScan, type NormaliseContext, normalise, readCallId } from '@wrapup/synthflow';

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

/** What a source says about its payloads beyond what they say themselves. */
export function contextOf(source: Source, entry: Pick<LedgerEntry, 'received_at'>): NormaliseContext {
  return {
    source: source.name,
    ...(source.key_prefix === undefined ? {} : { key_prefix: source.key_prefix }),
    agents: source.agents,
    received_at: entry.received_at,
    ...(source.default_country ? { default_country: source.default_country } : {}),
  };
}

interface ReadCallOptions {
  /** Is given the number of its values before they are parsed; what it throws is thrown on. */
  claim?: (values: number) => void;
  /** Its bytes, where they were asked for before. */
  begun?: Peeked;
  /** Is given its bytes. */
  onRead?: (kept: KeptPayload) => void;
}

/**
 * One revision of a call, normalised; undefined when its bytes are gone.
 * @throws UnrecognisedBody
 */
export async function readCall(
  store: Pick<Store, 'payloads'>,
  source: Source,
  entry: Pick<LedgerEntry, 'source' | 'call_id' | 'received_at'>,
  revision: string,
  { claim = () => {}, begun, onRead }: ReadCallOptions = {},
): Promise<Call | undefined> {
  const kept = await store.payloads.readKept(entry.source, entry.call_id, revision, begun);
  if (!kept) return undefined;
  onRead?.(kept);
  const payload = parsePayload(kept.body, claim);
  if (readCallId(payload) === undefined) throw new UnrecognisedBody();
  return normalise(payload, contextOf(source, entry));
}

/**
 * Ingress has checked the bytes; those of earlier versions, of reconciliation and of backfills it has not.
 * @throws UnrecognisedBody for what is no JSON, or would take too much memory
 */
function parsePayload(body: Buffer, claim: (values: number) => void): unknown {
  const scan = new JsonScan();
  const problem = scan.finish(body);
  if (problem && problem.what !== 'not-json') throw new UnrecognisedBody(tooComplex(problem));
  claim(scan.values);
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    throw new UnrecognisedBody(NO_JSON);
  }
}

const NO_JSON: WhyUnread = {
  code: 'unrecognised',
  reason: 'The body is not JSON.',
  hint: 'Look at it with `wrapup calls show <call id> --payload`, then drop it.',
};

function tooComplex({ what, limit }: { what: 'too-deep' | 'too-many-values'; limit: number }): WhyUnread {
  const beyond = what === 'too-deep' ? `is nested more than ${limit} levels deep` : `holds more than ${limit} values`;
  return {
    code: 'too_complex',
    reason: `The body ${beyond}: parsing it would take more memory than a worker has.`,
    hint: 'No event of Synthflow is like that. Look at it with `wrapup calls show <call id> --payload`, then drop it.',
  };
}

/** Whether the call id is the voice platform's own, under which its API may know the call. */
export function isOwnId(callId: string): boolean {
  return !callId.startsWith(SYNTHETIC_ID);
}
