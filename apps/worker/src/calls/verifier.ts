import type { Call } from '@wrapup/call';
import { type Config, READS_PER_MINUTE, type Source } from '@wrapup/config';
import { type CallJob, type LedgerEntry, type Store, takeRead } from '@wrapup/queue';
import { openApi } from '@wrapup/recovery';
import type { SynthflowApi } from '@wrapup/synthflow';
import { Gate } from './api-throttle.ts';
import { type Verification, verifyCall, type Why } from './verify-call.ts';

/** Milliseconds for one request: two of them and a retry fit into the time that reading a call may take. */
const REQUEST = 6_000;
const ATTEMPTS = 2;

/** A call for which the budget has no room comes again after this long at most, ms. */
const LONGEST_TURN = 60_000;

function readsOf({ reads_per_minute = READS_PER_MINUTE }: Source): number {
  return reads_per_minute;
}

function overBudget(source: Source): Why {
  return {
    code: 'reads_budget',
    reason: `Calls of source ${source.name} are read from Synthflow ${readsOf(source)} times a minute at most; this one waits for its turn.`,
    hint: 'Many webhooks at once, or forged ones, use it up. reads_per_minute of the source says how many there may be.',
  };
}

interface Line {
  /** What it was opened with, to notice a change. */
  settings: string;
  api: SynthflowApi;
  gate: Gate;
  /** Epoch ms until which the budget has no room, as far as this process knows: for calls not asked for yet, and others. */
  full_until: { first: number; repeated: number };
}

/** Whether the API was asked about a call before. */
function isRepeated({ waiting }: LedgerEntry): boolean {
  return (waiting?.reads ?? 0) > 0;
}

/** The APIs of this process's sources: opened on first use, again when a source's settings change. */
export class Verifier {
  readonly #store: Store;
  readonly #config: () => Config;
  readonly #answered: (source: string, refused: Why | undefined) => void;
  readonly #lines = new Map<string, Line>();
  readonly #stopping = new AbortController();

  /** @param answered hears after each question whether the API of a source answered, and why not */
  constructor(
    store: Store,
    config: () => Config,
    answered: (source: string, refused: Why | undefined) => void = () => {},
  ) {
    this.#store = store;
    this.#config = config;
    this.#answered = answered;
  }

  async verify(job: CallJob, entry: LedgerEntry, source: Source, hint: Call): Promise<Verification> {
    const line = this.#line(source);
    const { api, gate } = line;
    const full = this.#untilTurn(line, entry);
    if (full > 0) return { next: 'wait', asked: false, ms: full, why: overBudget(source) };
    const ms = gate.enter();
    if (ms > 0) {
      const reason = 'The call waits for its turn to be read from Synthflow.';
      return { next: 'wait', asked: false, ms, why: { code: 'busy', reason } };
    }
    try {
      const wait = await this.#takeRead(line, entry, source);
      if (wait > 0) return { next: 'wait', asked: false, ms: wait, why: overBudget(source) };
      const verification = await verifyCall(job, entry, source, hint, {
        store: this.#store,
        api,
        ledger_days: this.#config().retention.ledger_days,
        signal: this.#stopping.signal,
      });
      const refused = verification.next === 'wait' && verification.shut !== undefined;
      if (refused) gate.shut(verification.shut === true ? undefined : verification.shut);
      else gate.opened();
      this.#answered(source.name, refused ? verification.why : undefined);
      return verification;
    } finally {
      gate.leave();
    }
  }

  /** @returns 0 when the call may be read, else ms to wait */
  async #takeRead(line: Line, entry: LedgerEntry, source: Source): Promise<number> {
    const { redis, keys } = this.#store;
    const repeated = isRepeated(entry);
    const wait = await takeRead(redis, keys, { source: source.name, per_minute: readsOf(source), repeated });
    if (wait === 0) return 0;
    line.full_until[repeated ? 'repeated' : 'first'] = Date.now() + wait;
    return this.#untilTurn(line, entry);
  }

  /** @returns ms until the budget may have room, longer for what has waited long, so that few come at once; 0 for now */
  #untilTurn({ full_until }: Line, entry: LedgerEntry): number {
    const wait = full_until[isRepeated(entry) ? 'repeated' : 'first'] - Date.now();
    if (wait <= 0) return 0;
    const waited = entry.waiting ? Date.now() - entry.waiting.since : 0;
    return Math.round(Math.max(wait, Math.min(LONGEST_TURN, waited / 4)) * (1 + Math.random() / 2));
  }

  /** Cuts what is under way: for the end of the grace time only. */
  abort(): void {
    this.#stopping.abort(new Error('The worker is stopping.'));
  }

  close(): void {
    for (const { api } of this.#lines.values()) api.close();
    this.#lines.clear();
  }

  #line(source: Source): Line {
    const { name, region, base_url, api_key } = source;
    const settings = JSON.stringify([region, base_url, api_key]);
    const current = this.#lines.get(name);
    if (current?.settings === settings) return current;
    current?.api.close();
    const line = {
      settings,
      api: openApi(source, { timeout: REQUEST, attempts: ATTEMPTS }),
      gate: new Gate(),
      full_until: { first: 0, repeated: 0 },
    };
    this.#lines.set(name, line);
    return line;
  }
}
