import { randomUUID } from 'node:crypto';
import type { JsonObject } from '../../packages/call/src/index.ts';
import { type SampleKind, samplePayload } from '../../packages/synthflow/src/index.ts';

/** A sample of a caller of its own: people are matched by e-mail too. @param phone E.164 */
export function sampleOf(kind: SampleKind, phone: string, collected = {}) {
  const email = `caller${phone.slice(-3)}@example.com`;
  return samplePayload(kind, { call_id: randomUUID(), phone, collected: { email, ...collected } }) as JsonObject & {
    call: { call_id: string };
  };
}
