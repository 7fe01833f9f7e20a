import type { Call } from '@wrapup/call';
import type { Config, Source } from '@wrapup/config';
import type { CallJob, LedgerEntry, Store } from '@wrapup/queue';
import { openApi } from '@wrapup/recovery';
import type { SynthflowApi } from '@wrapup/synthflow';
import { Gate } from './gate.ts';
import { type Verification, verifyCall, type Why } from './verify-call.ts';

/** Milliseconds for one request: two of them and a retry fit into the time that reading a call may take. */
const REQUEST = 6_000;
const ATTEMPTS = 2;

interface Line {
  /** What it was opened with, to notice a change. */
  settings: string;
  api: SynthflowApi;
  gate: Gate;
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
    const { api, gate } = this.#line(source);
    const ms = gate.enter();
    if (ms > 0) {
      const reason = 'The call waits for its turn to be read from Synthflow.';
      return { next: 'wait', ms, why: { code: 'busy', reason } };
    }
    try {
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
    const line = { settings, api: openApi(source, { timeout: REQUEST, attempts: ATTEMPTS }), gate: new Gate() };
    this.#lines.set(name, line);
    return line;
  }
}
