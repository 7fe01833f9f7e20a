import type { Source } from '@wrapup/config';
import { trimPayload } from '@wrapup/synthflow';

const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);

/**
 * The bytes to be stored: as they came, without a byte order mark, which readers of JSON do not expect; or written anew
 * without what `keep:` of the source drops, so that it never reaches the disk.
 */
export function bytesToKeep(source: Source, body: Buffer, payload: unknown): Buffer {
  const kept = trimPayload(payload, source.keep);
  if (kept !== payload) return Buffer.from(JSON.stringify(kept));
  return body.subarray(0, 3).equals(BYTE_ORDER_MARK) ? body.subarray(3) : body;
}
