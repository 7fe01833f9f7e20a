/**
 * Standard Webhooks as a receiver implements it, apart from what signs here: over Web Crypto, from the headers and the raw
 * bytes alone. https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
import type { Received } from './endpoint.ts';

/** @returns whether one of the signatures is made with the secret, over this id, time and body */
export async function verifies({ headers, raw }: Pick<Received, 'headers' | 'raw'>, secret: string): Promise<boolean> {
  const id = headers['webhook-id'];
  const timestamp = headers['webhook-timestamp'];
  if (typeof id !== 'string' || typeof timestamp !== 'string' || !/^\d+$/.test(timestamp)) return false;
  if (Math.abs(Date.now() / 1000 - Number(timestamp)) > 300) return false;
  const bytes = Uint8Array.from(atob(secret.replace(/^whsec_/, '')), (char) => char.charCodeAt(0));
  const key = await crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['verify']);
  const content = new TextEncoder().encode(`${id}.${timestamp}.${new TextDecoder().decode(raw)}`);
  for (const entry of String(headers['webhook-signature'] ?? '').split(' ')) {
    const [version, encoded = ''] = entry.split(',');
    if (version !== 'v1') continue;
    const signature = Uint8Array.from(atob(encoded), (char) => char.charCodeAt(0));
    if (await crypto.subtle.verify('HMAC', key, signature, content)) return true;
  }
  return false;
}
