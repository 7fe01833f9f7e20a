import type { Source } from '@wrapup/config';
import { trimPayload } from '@wrapup/synthflow';

const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);

/**
 * Returns the bytes to store: as they arrived, without a byte order mark, which readers of JSON do not expect; or written
 * again without what `keep:` of the source drops, so that it never reaches the disk.
 */
export function bytesToStore(source: Source, body: Buffer, payload: unknown): Buffer {
  const kept = trimPayload(payload, source.keep);
  if (kept !== payload) return Buffer.from(JSON.stringify(kept));
  return body.subarray(0, 3).equals(BYTE_ORDER_MARK) ? body.subarray(3) : body;
}
