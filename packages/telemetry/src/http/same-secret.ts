import { createHash, timingSafeEqual } from 'node:crypto';

/** Digests have one length, which a comparison in constant time needs, and hide the length of the secret. */
export function digestOfSecret(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}

/** Whether a text is the secret of that digest, in constant time. */
export function isSecret(given: string, digest: Buffer): boolean {
  return timingSafeEqual(digestOfSecret(given), digest);
}
