/** What several calls make of one contact: one write, in the order in which the calls ended. Pure. */
import { inOrder, isUnsettled, type Job } from '@wrapup/destination/delivery';
import { needsReading, needsWatermark, type Plan } from '@wrapup/mapping';
import { WATERMARK } from './objects.ts';
import { decideFields, type Properties } from './write-modes.ts';

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
  let state = current;
  let latest = watermark;
  for (const job of inOrder(jobs).filter((one) => !one.person_done)) {
    const fields = job.plan.person?.fields ?? [];
    const call = { key: job.plan.key, ended_at: job.ended_at, watermark: latest };
    for (const decision of decideFields(fields, state, call)) {
      if (!decision.applies) continue;
      patch[decision.field.name] = decision.to;
      state = { ...state, [decision.field.name]: decision.to };
    }
    if (needsWatermark(fields) && (latest === undefined || job.ended_at > latest)) {
      latest = job.ended_at;
      patch[WATERMARK] = new Date(latest).toISOString();
    }
    // From here on the contact exists, whether or not it did before: later calls of this batch see what earlier ones wrote.
    state ??= {};
  }
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

/** Properties that deciding the plans' fields takes, and those that their mappings read. */
export function propertiesToRead(plans: Plan[]): string[] {
  const names = new Set<string>();
  for (const { person, needs } of plans) {
    for (const name of needs) names.add(name);
    for (const field of person?.fields ?? []) names.add(field.name);
    if (needsWatermark(person?.fields ?? [])) names.add(WATERMARK);
  }
  return [...names];
}

/** True when the jobs cannot be written without the contact's values. */
export function mustRead(jobs: Job[]): boolean {
  return jobs.some((job) => isUnsettled(job) || (!job.person_done && needsReading(job.plan.person?.fields ?? [])));
}
