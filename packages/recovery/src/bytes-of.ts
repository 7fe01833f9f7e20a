import { type Keep, trimPayload } from '@wrapup/synthflow';

/**
 * What the voice platform says of a call, as the bytes that are kept of it: without what the source does not keep.
 * What is nested too deep to be written as JSON is cut, and keeps all that is read.
 */
export function bytesOf(payload: unknown, keep: Keep): Buffer {
  const write = (kept: Keep) => Buffer.from(JSON.stringify(trimPayload(payload, kept)));
  try {
    return write(keep);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return write({ ...keep, raw: false });
  }
}
