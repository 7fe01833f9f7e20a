import { createHash } from 'node:crypto';

/**
 * The unique key of a person that is created from a call: `person:<sha256 hex>` of the E.164 number, else of the
 * lower-case e-mail. It holds no call id, so that two calls of one unknown number make one person, and it does not show
 * the number to those who read the key.
 *
 * @returns undefined when there is neither: such a call never creates a person, because no later call could find it
 */
export function personKey({
  phone,
  email,
}: {
  phone?: string | undefined;
  email?: string | undefined;
}): string | undefined {
  const identity = phone || email?.trim().toLowerCase();
  if (!identity) return undefined;
  return `person:${createHash('sha256').update(identity).digest('hex')}`;
}
