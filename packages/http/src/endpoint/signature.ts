/**
 * Standard Webhooks, so that receivers can use any of its libraries.
 * https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
import { createHash, createHmac, createSecretKey, type KeyObject } from 'node:crypto';

const PREFIX = 'whsec_';
/** Bytes that a secret may have. */
const MIN_SECRET_BYTES = 24;
const MAX_SECRET_BYTES = 64;

/** Bytes of a `whsec_…` secret, or undefined when it is none. */
export function readSecret(text: string): Buffer | undefined {
  const encoded = text.startsWith(PREFIX) ? text.slice(PREFIX.length) : '';
  if (!/^[A-Za-z0-9+/_-]+={0,2}$/.test(encoded)) return undefined;
  const bytes = Buffer.from(encoded, 'base64');
  return bytes.length >= MIN_SECRET_BYTES && bytes.length <= MAX_SECRET_BYTES ? bytes : undefined;
}

/**
 * The id by which a receiver drops repeats: the same for every attempt and every replay of one revision of a call on one
 * route, another for everything else. Hexadecimal digits: what is signed is separated by dots.
 */
export function webhookId(call: string, route: string, revision: string | undefined, record: string): string {
  const hash = createHash('sha256').update(JSON.stringify([call, route, revision ?? null, record]));
  return `msg_${hash.digest('hex').slice(0, 32)}`;
}

/**
 * The keys of an endpoint's secrets; what is no secret is left out. Made once: of bytes, Node makes such an object for each
 * signature, which takes longer than the signature.
 */
export function signingKeys(secrets: readonly string[]): KeyObject[] {
  return secrets.flatMap((text) => {
    const bytes = readSecret(text);
    return bytes ? [createSecretKey(bytes)] : [];
  });
}

/** @param at epoch ms of the attempt */
export function signedHeaders(id: string, at: number, body: Buffer, secrets: KeyObject[]): Record<string, string> {
  const timestamp = String(Math.floor(at / 1000));
  const signatures = secrets.map(
    (secret) => `v1,${createHmac('sha256', secret).update(`${id}.${timestamp}.`).update(body).digest('base64')}`,
  );
  return {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    ...(signatures.length > 0 ? { 'webhook-signature': signatures.join(' ') } : {}),
  };
}
