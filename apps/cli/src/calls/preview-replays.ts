/** What replays would change, asked of the CRM in batches: `wrapup replay --plan`, `wrapup omissions replay --plan`. */
import type { Config } from '@wrapup/config';
import { COLLEAGUE, type Plan } from '@wrapup/mapping';
import type { LedgerEntry, Store } from '@wrapup/queue';
import { type ReplayPreview, summariseReplay } from '@wrapup/recovery/replay-preview';
import { planOn, readStanding, withChoices } from '@wrapup/recovery/standing-call';
import { explainFailure, useDestination } from '../connect/destinations.ts';
import { operator } from '../connect/operator.ts';
import { chooseSource } from '../connect/sources.ts';
import { expired } from '../show/explain.ts';
import { clean } from '../terminal/clean.ts';

/** Why a delivery that is on its way is not replayed. */
export const QUEUED = 'is queued already';

/** Deliveries whose changes are asked of the CRM together. */
const ASKED_TOGETHER = 50;

interface PreviewParts {
  store: Store;
  config: Config;
  /** Called with what the user should know besides. */
  remark(line: string): void;
}

/** Called with what a replay would make of a delivery; `preview` where the CRM was asked. */
type OnPreviewed = (verdict: string, preview?: ReplayPreview) => void;

/** Says of deliveries what a replay would make of each, in any order. Those that it would take are asked about together. */
export class ReplayPreviews {
  readonly #parts: PreviewParts;
  #waiting: { connection: string; plan: Plan; say: OnPreviewed }[] = [];

  constructor(parts: PreviewParts) {
    this.#parts = parts;
  }

  async add(
    { source, call_id, route }: { source: string; call_id: string; route: string },
    entry: LedgerEntry | undefined,
    say: OnPreviewed,
  ): Promise<void> {
    const { store, config } = this.#parts;
    const delivery = entry?.deliveries.find((one) => one.route === route);
    if (delivery?.state === 'queued') return say(QUEUED);
    if (!entry || !delivery || !(await store.payloads.has(source, call_id, delivery.revision)))
      return say(expired(call_id));
    const plan = await planReplay(store, config, entry, route);
    if (!plan) return say('would be replayed');
    await store.audit.note(operator(), { action: 'look up', source, call_id, route, connection: delivery.connection });
    this.#waiting.push({ connection: delivery.connection, plan, say });
    if (this.#waiting.length >= ASKED_TOGETHER) await this.flush();
  }

  /** Asks about those that are left. */
  async flush(): Promise<void> {
    const { config, remark } = this.#parts;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const [connection, some] of Map.groupBy(waiting, (one) => one.connection)) {
      const plans = some.map(({ plan }) => plan);
      const previews = await previewReplays(config, connection, plans, remark);
      for (const [index, { say }] of some.entries()) {
        const preview = previews[index];
        if (preview) say(describeReplay(preview), preview);
      }
    }
  }
}

/** The plan of a delivery as a replay would make it; undefined when its payload or its route is gone. */
async function planReplay(store: Store, config: Config, entry: LedgerEntry, route: string): Promise<Plan | undefined> {
  const known = config.routes.find(({ name }) => name === route);
  const standing = known && (await readStanding(store, entry, chooseSource(config, entry.source)));
  return known && standing && withChoices(store, planOn(known, standing).plan, known, standing);
}

/** As many answers as plans, in their order. @param remark called with what the user should know besides */
async function previewReplays(
  config: Config,
  connection: string,
  plans: Plan[],
  remark: (line: string) => void,
): Promise<ReplayPreview[]> {
  const settings = config.connections[connection];
  if (!settings)
    return plans.map(() => ({ changes: 0, stays: [], records: [], error: `there is no connection ${connection}` }));
  try {
    const previews = await useDestination(
      settings,
      remark,
      (destination, context) => destination.preview(plans, context()),
      { written: true },
    );
    return plans.map((_, index) => summariseReplay(previews[index]));
  } catch (error) {
    const { message } = explainFailure(error).error;
    return plans.map(() => ({ changes: 0, stays: [], records: [], error: message }));
  }
}

function describeReplay({ changes, stays, error }: ReplayPreview): string {
  if (error !== undefined) return `would be replayed; the CRM could not be asked: ${clean(error)}`;
  const kept = stays.length > 0 ? `; ${stays.map((one) => clean(one)).join(', ')}: ${COLLEAGUE}: stays` : '';
  return `would be replayed and write ${changes === 1 ? '1 field' : `${changes} fields`}${kept}`;
}
