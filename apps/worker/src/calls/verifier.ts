/**
 * Reads calls again from the APIs of their sources, within the budget of each source (`reads_per_minute`) and no faster
 * than its API answers. A call that waits for its turn is a delayed job with the reason in the ledger.
 */
import type { Call } from '@wrapup/call';
import { type Config, READS_PER_MINUTE, retentionOf, type Source } from '@wrapup/config';
import { Failure } from '@wrapup/destination';
import { type CallJob, type LedgerEntry, type Store, takeRead } from '@wrapup/queue';
import { openApi } from '@wrapup/recovery';
import type { SynthflowApi } from '@wrapup/synthflow';
import { ApiThrottle } from './api-throttle.ts';
import { parkCall } from './park-call.ts';
import { type Verification, verifyCall, type WaitReason } from './verify-call.ts';

/** For one request: two of them and a retry fit into the time that reading a call may take. */
const REQUEST_MS = 6_000;
const MAX_ATTEMPTS = 2;
/** Longest wait of a call for which the budget has no room. */
const MAX_BUDGET_WAIT_MS = 60_000;

/** Reads a call from the API of its source. */
export type Verify = (job: CallJob, entry: LedgerEntry, source: Source, hint: Call) => Promise<Verification>;

/** What the queue does with a job that waits for the API or was parked. */
export type NotVerified = { job: 'delay'; ms: number; result: 'waits' } | { job: 'complete'; result: 'parked' };

export interface ApiReading {
  store: Store;
  source: Source;
  verify: Verify | undefined;
}

/**
 * Reads a call from the API of its source. Notes in the ledger when the call waits for the answer, and parks it when a
 * person has to look at it.
 * @param hint what the webhook says; only for knowing what to wait for
 * @returns the revision under which the API's copy is kept, or what to do with the job instead
 */
export async function readFromApi(
  job: CallJob,
  entry: LedgerEntry,
  hint: Call,
  { store, source, verify }: ApiReading,
): Promise<{ revision: string } | NotVerified> {
  if (!verify) throw new Failure('internal', `This process does not read calls of source ${source.name} from its API.`);
  const verification = await verify(job, entry, source, hint);
  switch (verification.next) {
    case 'accepted':
      return { revision: verification.revision };
    case 'wait':
      await store.ledger.wait(source.name, job.call_id, verification.why, verification.asked);
      return { job: 'delay', ms: verification.ms, result: 'waits' };
    case 'park':
      return parkCall(job, verification.why, store);
  }
}

interface OpenApi {
  /** What it was opened with, to notice a change. */
  settings: string;
  api: SynthflowApi;
  throttle: ApiThrottle;
  /** Epoch ms until which the budget has no room, as far as this process knows: for first readings, and for repeated ones. */
  full_until: { first: number; repeated: number };
}

/** The APIs of this process's sources: opened on first use, and again when a source's settings change. */
export class Verifier {
  readonly #store: Store;
  readonly #config: () => Config;
  readonly #onAnswer: (source: string, refused: WaitReason | undefined) => void;
  readonly #apis = new Map<string, OpenApi>();
  readonly #stopping = new AbortController();

  /** @param onAnswer called after each request with why the API of a source refused, or undefined when it answered */
  constructor(
    store: Store,
    config: () => Config,
    onAnswer: (source: string, refused: WaitReason | undefined) => void = () => {},
  ) {
    this.#store = store;
    this.#config = config;
    this.#onAnswer = onAnswer;
  }

  async verify(job: CallJob, entry: LedgerEntry, source: Source, hint: Call): Promise<Verification> {
    const open = this.#open(source);
    const { api, throttle } = open;
    const full = this.#untilTurn(open, entry);
    if (full > 0) return { next: 'wait', asked: false, ms: full, why: overBudget(source) };
    const ms = throttle.enter();
    if (ms > 0) {
      const reason = 'The call waits for its turn to be read from Synthflow.';
      return { next: 'wait', asked: false, ms, why: { code: 'busy', reason } };
    }
    try {
      const wait = await this.#takeRead(open, entry, source);
      if (wait > 0) return { next: 'wait', asked: false, ms: wait, why: overBudget(source) };
      const verification = await verifyCall(job, entry, source, hint, {
        store: this.#store,
        api,
        ledger_days: retentionOf(this.#config(), source.name).ledger_days,
        signal: this.#stopping.signal,
      });
      const refused = verification.next === 'wait' && verification.pause !== undefined;
      if (refused) throttle.pause(verification.pause === true ? undefined : verification.pause);
      else throttle.answered();
      this.#onAnswer(source.name, refused ? verification.why : undefined);
      return verification;
    } finally {
      throttle.leave();
    }
  }

  /** @returns 0 when the call may be read, else ms to wait */
  async #takeRead(open: OpenApi, entry: LedgerEntry, source: Source): Promise<number> {
    const { redis, keys } = this.#store;
    const repeated = isRepeated(entry);
    const wait = await takeRead(redis, keys, { source: source.name, per_minute: readsOf(source), repeated });
    if (wait === 0) return 0;
    open.full_until[repeated ? 'repeated' : 'first'] = Date.now() + wait;
    return this.#untilTurn(open, entry);
  }

  /** @returns ms until the budget may have room, more for calls that have waited long, so that few come at once; 0 for now */
  #untilTurn({ full_until }: OpenApi, entry: LedgerEntry): number {
    const wait = full_until[isRepeated(entry) ? 'repeated' : 'first'] - Date.now();
    if (wait <= 0) return 0;
    const waited = entry.waiting ? Date.now() - entry.waiting.since : 0;
    return Math.round(Math.max(wait, Math.min(MAX_BUDGET_WAIT_MS, waited / 4)) * (1 + Math.random() / 2));
  }

  /** Cancels the requests under way: for the end of the grace time only. */
  abort(): void {
    this.#stopping.abort(new Error('The worker is stopping.'));
  }

  close(): void {
    for (const { api } of this.#apis.values()) api.close();
    this.#apis.clear();
  }

  #open(source: Source): OpenApi {
    const { name, region, base_url, api_key } = source;
    const settings = JSON.stringify([region, base_url, api_key]);
    const current = this.#apis.get(name);
    if (current?.settings === settings) return current;
    current?.api.close();
    const open = {
      settings,
      api: openApi(source, { timeout: REQUEST_MS, attempts: MAX_ATTEMPTS }),
      throttle: new ApiThrottle(),
      full_until: { first: 0, repeated: 0 },
    };
    this.#apis.set(name, open);
    return open;
  }
}

function readsOf({ reads_per_minute = READS_PER_MINUTE }: Source): number {
  return reads_per_minute;
}

function overBudget(source: Source): WaitReason {
  return {
    code: 'reads_budget',
    reason: `Calls of source ${source.name} are read from Synthflow ${readsOf(source)} times a minute at most; this one waits for its turn.`,
    hint: 'Many webhooks at once, or forged ones, use it up. reads_per_minute of the source says how many there may be.',
  };
}

/** Whether the API has been asked about a call before. */
function isRepeated({ waiting }: LedgerEntry): boolean {
  return (waiting?.reads ?? 0) > 0;
}
