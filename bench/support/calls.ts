import { randomUUID } from 'node:crypto';
import { samplePayload } from '../../packages/synthflow/src/index.ts';
import { talk } from '../../test/support/speech.ts';

export interface Payload {
  call: { call_id: string; transcript?: string };
}

export interface CallOptions {
  call_id?: string;
  /** E.164. */
  phone: string;
  /** Bytes of the body, about; the transcript is made as long as that takes. Absent: the sample as it is. */
  bytes?: number;
  /** Of the transcript. */
  seed?: number;
}

/** A post-call webhook of a call that a person answered. */
export function makeCall({ call_id = randomUUID(), phone, bytes, seed = 1 }: CallOptions): Payload {
  const made = samplePayload('connected', {
    call_id,
    phone,
    name: `Person ${phone.slice(-7)}`,
    collected: { email: null },
  }) as unknown as Payload;
  if (bytes !== undefined) {
    made.call.transcript = '';
    made.call.transcript = talk(Math.max(0, bytes - Buffer.byteLength(JSON.stringify(made))), seed);
    // Line breaks take two bytes in JSON.
    const over = Buffer.byteLength(JSON.stringify(made)) - bytes;
    if (over > 0) made.call.transcript = made.call.transcript.slice(0, -over);
  }
  return made;
}
