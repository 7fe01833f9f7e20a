/**
 * The webhook signature: HMAC-SHA256 over the call id, base64, under a secret of the workspace.
 * https://docs.synthflow.ai/webhooks-security
 *
 * It covers the call id and nothing else, and has no time in it: it proves that Synthflow once knew this id and this
 * secret, not that the body is theirs. How far to believe the body is the source's `trust:` setting.
 */
import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

/**
 * Names under which the signature may arrive, lower case. The documented `HTTP_SYNTHFLOW_SIGNATURE` is how WSGI and Rack
 * show a header named `Synthflow-Signature`; receivers in the wild accept these five.
 */
export const SIGNATURE_HEADERS = [
  'synthflow-signature',
  'x-synthflow-signature',
  'http-synthflow-signature',
  'http_synthflow_signature',
  'synthflow_signature',
] as const;

/** Most headers have shorter names, and need no look at their letters. */
const SHORTEST_NAME = Math.min(...SIGNATURE_HEADERS.map(({ length }) => length));

/** A SHA-256 is 32 bytes: 64 hex digits, or 43 characters of base64 and a padding that some senders leave away. */
const HEX = /^[0-9a-f]{64}$/i;
const BASE64 = /^[A-Za-z0-9+/_-]{43}=?$/;
/** Values looked at in one header; more can only be an attack. */
const MAX_VALUES = 8;

/**
 * The signature header under any of its spellings, in any case.
 * @returns values joined by a comma when there are several; undefined when there is none, or only empty ones
 */
export function readSignature(headers: IncomingHttpHeaders): string | undefined {
  const values: string[] = [];
  for (const [name, value] of Object.entries(headers)) {
    if (name.length < SHORTEST_NAME || !(SIGNATURE_HEADERS as readonly string[]).includes(name.toLowerCase())) continue;
    for (const one of Array.isArray(value) ? value : [value]) {
      const text = one?.trim();
      if (text) values.push(text);
    }
  }
  return values.length > 0 ? values.join(', ') : undefined;
}

export interface SignatureQuestion {
  callId: string;
  /** Every secret in force, several while rotating. Empty ones are ignored: anyone can sign with an empty secret. */
  secrets: readonly string[];
  /** What `readSignature` gave. */
  header: string | undefined;
}

/** Whether the header is the call id's signature under one of the secrets. Takes the same time whichever it is. */
export function verifySignature({ callId, secrets, header }: SignatureQuestion): boolean {
  if (!header || !callId) return false;
  const given = header
    .split(',', MAX_VALUES)
    .map((value) => decode(value.trim()))
    .filter((digest) => digest !== undefined);
  let matches = false;
  for (const secret of secrets) {
    if (!secret) continue;
    const expected = createHmac('sha256', keyOf(secret)).update(callId, 'utf8').digest();
    for (const digest of given) {
      const same = timingSafeEqual(expected, digest);
      matches = matches || same;
    }
  }
  return matches;
}

/** Keys of secrets: Node takes some 10 µs of each webhook to make one. As many as sources have secrets, and some rotated ones. */
const KEYS = new Map<string, KeyObject>();
const MAX_KEYS = 10_000;

function keyOf(secret: string): KeyObject {
  const known = KEYS.get(secret);
  if (known) return known;
  if (KEYS.size >= MAX_KEYS) KEYS.clear();
  const key = createSecretKey(secret, 'utf8');
  KEYS.set(secret, key);
  return key;
}

/** Signs a call id as Synthflow does: base64 with padding. */
export function sign(callId: string, secret: string): string {
  return createHmac('sha256', secret).update(callId, 'utf8').digest('base64');
}

function decode(value: string): Buffer | undefined {
  if (HEX.test(value)) return Buffer.from(value, 'hex');
  // Node reads the URL-safe alphabet and missing padding as base64 too.
  if (BASE64.test(value)) return Buffer.from(value, 'base64');
  return undefined;
}
