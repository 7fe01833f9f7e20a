/** What replays would change, asked of the CRM in batches: `wrapup replay --plan`. */
import type { Config } from '@wrapup/config';
import type { Preview } from '@wrapup/destination';
import { COLLEAGUE, type Plan } from '@wrapup/mapping';
import type { LedgerEntry, Store } from '@wrapup/queue';
import { explainFailure, useDestination } from '../connect/destinations.ts';
import { chooseSource } from '../connect/sources.ts';
import { clean } from '../terminal/clean.ts';
import { planOn, readStanding, withChoices } from './plan-call.ts';

/** What would become of one delivery. Without `error` the CRM was asked. */
export interface ReplayPreview {
  /** Fields that would be written. */
  changes: number;
  /** Fields that stay since a colleague changed them: `opportunity.dealstage`. */
  stays: string[];
  error?: string;
}

/** The plan of a delivery as a replay would make it; undefined when its payload or its route is gone. */
export async function planReplay(
  store: Store,
  config: Config,
  entry: LedgerEntry,
  route: string,
): Promise<Plan | undefined> {
  const known = config.routes.find(({ name }) => name === route);
  const standing = known && (await readStanding(store, entry, chooseSource(config, entry.source)));
  return known && standing && withChoices(store, planOn(known, standing).plan, known, standing);
}

/** As many answers as plans, in their order. @param remark called with what the user should know besides */
export async function previewReplays(
  config: Config,
  connection: string,
  plans: Plan[],
  remark: (line: string) => void,
): Promise<ReplayPreview[]> {
  const settings = config.connections[connection];
  if (!settings) return plans.map(() => ({ changes: 0, stays: [], error: `there is no connection ${connection}` }));
  try {
    const previews = await useDestination(
      settings,
      remark,
      (destination, context) => destination.preview(plans, context()),
      { written: true },
    );
    return plans.map((_, index) => summarise(previews[index]));
  } catch (error) {
    const { message } = explainFailure(error).error;
    return plans.map(() => ({ changes: 0, stays: [], error: message }));
  }
}

function summarise(preview: Preview | undefined): ReplayPreview {
  const fields = (preview?.records ?? []).flatMap(({ name, fields }) => fields.map((field) => ({ name, ...field })));
  return {
    changes: fields.filter(({ applies }) => applies).length,
    stays: fields.filter(({ why }) => why === COLLEAGUE).map(({ name, field }) => `${name}.${field}`),
  };
}

export function describeReplay({ changes, stays, error }: ReplayPreview): string {
  if (error !== undefined) return `would be replayed; the CRM could not be asked: ${clean(error)}`;
  const kept = stays.length > 0 ? `; ${stays.map((one) => clean(one)).join(', ')}: ${COLLEAGUE}: stays` : '';
  return `would be replayed and write ${changes === 1 ? '1 field' : `${changes} fields`}${kept}`;
}
