/** What replays would change, as previews of the CRM say it: for commands and pages that show it before they replay. */
import type { Preview } from '@wrapup/destination';
import { COLLEAGUE } from '@wrapup/mapping';

/** What would become of one delivery. Without `error` the CRM was asked. */
export interface ReplayPreview {
  /** Fields that would be written. */
  changes: number;
  /** Fields that stay since a colleague changed them: `opportunity.dealstage`. */
  stays: string[];
  /** What would be created and updated: `create tasks`. */
  records: string[];
  error?: string;
}

export function summariseReplay(preview: Preview | undefined): ReplayPreview {
  const records = preview?.records ?? [];
  const fields = records.flatMap(({ name, fields }) => fields.map((field) => ({ name, ...field })));
  return {
    changes: fields.filter(({ applies }) => applies).length,
    stays: fields.filter(({ why }) => why === COLLEAGUE).map(({ name, field }) => `${name}.${field}`),
    records: records.map(({ did, object }) => `${did} ${object}`),
  };
}
