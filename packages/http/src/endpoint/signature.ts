/**
 * Standard Webhooks, so that receivers can use any of its libraries.
 * https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
import { createHash, createHmac } from 'node:crypto';

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

/** @param at epoch ms of the attempt */
export function signedHeaders(id: string, at: number, body: Buffer, secrets: Buffer[]): Record<string, string> {
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
