import type { ReceiptNote } from './omission.ts';

/** A record of a plan that is in the CRM. */
export interface RecordReceipt {
  /** `person`, `call_log`, or the record's name in the mapping. */
  name: string;
  object: string;
  id: string;
  did: 'created' | 'updated' | 'unchanged';
  url?: string;
}

/** What a plan wrote. */
export interface Receipt {
  records: RecordReceipt[];
  /** Requests that this plan cost; a request shared by n plans counts 1/n for each. */
  requests: number;
  /** What was done otherwise than asked: a field that the account refused and that was dropped, a policy that held. */
  notes: ReceiptNote[];
}
