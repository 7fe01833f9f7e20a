/** What Acme calls its objects, and the fields that Wrapup adds to them. */

export const PEOPLE = 'people';
export const CALL_LOGS = 'call_logs';
export const TASKS = 'tasks';

/** The unique field by which our records are found again. */
export const KEY = 'wrapup_key';
/** When the last call ended that was written to a person. */
export const WATERMARK = 'wrapup_last_call_at';
/** Whom a record belongs to. */
export const OWNER = 'owner_id';

/** A record as Acme answers it. */
export interface AcmeRecord {
  id: string;
  fields: Record<string, string | number | boolean | null>;
}
