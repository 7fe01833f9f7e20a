/** What the baseline's workers read of a webhook. */
export interface Body {
  lead: { name?: string; phone_number: string };
  call: { call_id: string; start_time: string; duration?: number; transcript?: string };
}

/** Writes one call onto a CRM. */
export type DeliverCall = (body: Body) => Promise<void>;
