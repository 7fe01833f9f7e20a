import type { Call } from '@wrapup/call';
import type { Source } from '@wrapup/config';
import type { LedgerEntry, Store } from '@wrapup/queue';
import { JsonScan, type NormaliseContext, normalise, readCallId } from '@wrapup/synthflow';
import { UnrecognisedBody, type WhyUnread } from '../calls/unrecognised.ts';

/** What a source says about its payloads beyond what they say themselves. */
export function contextOf(source: Source, entry: Pick<LedgerEntry, 'received_at'>): NormaliseContext {
  return {
    source: source.name,
    agents: source.agents,
    received_at: entry.received_at,
    ...(source.default_country ? { default_country: source.default_country } : {}),
  };
}

/**
 * One revision of a call, normalised; undefined when its bytes are gone.
 * @param claim is given the number of its values before they are parsed; what it throws is thrown on
 * @throws UnrecognisedBody
 */
export async function readCall(
  store: Pick<Store, 'payloads'>,
  source: Source,
  entry: Pick<LedgerEntry, 'source' | 'call_id' | 'received_at'>,
  revision: string,
  claim: (values: number) => void = () => {},
): Promise<Call | undefined> {
  const body = await store.payloads.read(entry.source, entry.call_id, revision);
  if (!body) return undefined;
  const payload = parsePayload(body, claim);
  if (readCallId(payload) === undefined) throw new UnrecognisedBody();
  return normalise(payload, contextOf(source, entry));
}

/**
 * Ingress has looked at the bytes before; they may be from before it did, or have come another way.
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
