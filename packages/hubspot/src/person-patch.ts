/** What several calls make of one contact: one write, in the order in which the calls ended. Pure. */
import { inOrder, type Job, type Properties, takeTurns } from '@wrapup/destination/delivery';
import { WATERMARK } from './objects.ts';
import { decideFields } from './write-modes.ts';

/**
 * The properties to write.
 * @param current the contact's values; undefined for one to be created
 * @param watermark epoch ms when the last call ended that was written to it, where that is known
 */
export function makePatch(
  jobs: Job[],
  current: Properties | undefined,
  watermark: number | undefined,
): Record<string, string> {
  const patch: Record<string, string> = {};
  const latest = takeTurns(jobs, current, watermark, ({ plan }, state, call) => {
    const decisions = decideFields(plan.person?.fields ?? [], state, call).filter(({ applies }) => applies);
    const written = Object.fromEntries(decisions.map(({ field, to }) => [field.name, to]));
    Object.assign(patch, written);
    return written;
  });
  if (latest !== undefined) patch[WATERMARK] = new Date(latest).toISOString();
  return patch;
}

/**
 * What a contact needs in addition when it is created: HubSpot wants an e-mail address or a name, and the next call
 * must find it by its number. https://developers.hubspot.com/docs/api-reference/latest/crm/objects/contacts/guide
 */
export function addIdentity(properties: Record<string, string>, jobs: Job[]): Record<string, string> {
  const whole = { ...properties };
  for (const name of Object.keys(whole)) if (whole[name] === '') delete whole[name];
  for (const { plan } of inOrder(jobs)) {
    const { phone, email } = plan.person?.fallback ?? {};
    if (phone && !whole.phone && !whole.mobilephone) whole.phone = phone;
    if (email) whole.email ??= email;
  }
  const name = jobs[0]?.plan.person?.fallback.name;
  if (name && !whole.firstname && !whole.lastname && !whole.email) whole.firstname = name;
  return whole;
}
