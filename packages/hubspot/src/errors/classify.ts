/** From HubSpot's error answers to failures, by the table. */
import { scrub } from '@wrapup/destination';
import {
  asObject,
  asRequestFailure,
  asText,
  failureByRow,
  fitsStatus,
  RequestFailure,
  unaccountedBy,
} from '@wrapup/destination/http';
import { ERROR_TABLE, type HubSpotErrorRule, isOurs, LINK_END } from './error-table.ts';

const SECOND_MS = 1000;

/** A request that did not come through, with what HubSpot said about it. */
export type HubSpotFailure = RequestFailure<HubSpotVendorError>;
export const HubSpotFailure = RequestFailure<HubSpotVendorError>;

/** Anything thrown on the way, as one of ours; the budget's own failures and the store's keep their code. */
export const asHubSpotFailure = asRequestFailure<HubSpotVendorError>;

interface HubSpotAnswerFacts {
  /** What was attempted, for the message: `create calls`. */
  doing: string;
  /** Retry-After as it came. */
  retry_after?: string | undefined;
  /** Values that were sent: HubSpot quotes them back, and they may be personal. */
  sent?: Iterable<string>;
}

/** Turns an error answer into a failure by the table. */
export function failureOf(error: HubSpotVendorError, facts: HubSpotAnswerFacts): HubSpotFailure {
  const { details, message, policy, category, correlation_id } = error;
  const rule = ERROR_TABLE.find((candidate) => applies(candidate, error));
  const named = details.filter((detail) => rule?.code !== undefined && hasCode(rule.code, detail));
  const fields = named.flatMap(({ property }) => property ?? []);
  const answered = {
    doing: facts.doing,
    vendor: error,
    words: wordsOf(message),
    sent: facts.sent ?? [],
    noun: 'property',
    field: fields[0] ?? details.find(({ property }) => property)?.property ?? error.missing[0],
    vendor_code: named[0]?.code || details[0]?.code || policy || category || undefined,
    correlation_id,
    hint: rule && hintOf(rule, error),
    hint_for: (property: string) => (rule?.becomes === 'missing_property' ? adviceOn(property) : undefined),
    retry_after: rule && retryAfter(facts.retry_after, rule),
  };
  return failureByRow('HubSpot', rule, answered, { fields: rule?.omits ? [...new Set(fields)] : [] });
}

/** A success that does not say what became of something. @param outcome_unknown whether something may have been written */
export function unaccounted(doing: string, outcome_unknown = false): HubSpotFailure {
  return unaccountedBy('HubSpot', doing, outcome_unknown);
}

function applies(rule: HubSpotErrorRule, error: HubSpotVendorError): boolean {
  if (!fitsStatus(rule.status, error.status)) return false;
  if (rule.category && rule.category !== error.category) return false;
  if (rule.sub_category && !rule.sub_category.test(error.sub_category ?? '')) return false;
  if (rule.policy && rule.policy !== error.policy) return false;
  if (rule.code && !error.details.some((detail) => hasCode(rule.code as string | RegExp, detail))) return false;
  return (
    !rule.words || rule.words.test(error.message) || error.details.some((detail) => rule.words?.test(detail.message))
  );
}

function hasCode(code: string | RegExp, detail: VendorDetail): boolean {
  return typeof code === 'string' ? detail.code === code : code.test(detail.code);
}

/** Milliseconds to wait. HubSpot documents Retry-After, in seconds, for 477 only; elsewhere it is honoured up to a cap. */
function retryAfter(header: string | undefined, rule: HubSpotErrorRule): number | undefined {
  const seconds = header === undefined ? Number.NaN : Number(header);
  const asked = Number.isFinite(seconds) ? seconds * 1000 : header ? Date.parse(header) - Date.now() : Number.NaN;
  if (!Number.isFinite(asked) || asked < 0) return rule.wait;
  return Math.min(Math.max(asked, rule.wait ?? 0), rule.longest ?? 60 * SECOND_MS);
}

function hintOf(rule: HubSpotErrorRule, error: HubSpotVendorError): string | undefined {
  if (rule.becomes === 'missing_scope' && error.scopes.length > 0)
    return `Add the scope ${[...new Set(error.scopes)].slice(0, 5).join(' or ')} to the service key, then resume the connection.`;
  const options = error.details
    .map((detail) => /allowed options:?\s*(\[[^\]]*\])/i.exec(detail.message)?.[1])
    .find((found) => found !== undefined);
  if (rule.becomes === 'invalid_field' && options) return `${rule.hint} It allows ${scrub(options, 200)}.`;
  return rule.hint;
}

/** `wrapup provision` creates the properties of its own prefix, and no others. */
function adviceOn(property: string): string | undefined {
  if (isOurs(property)) return 'Run `wrapup provision`, which creates it; then replay.';
  return 'Create the property in HubSpot (Settings, Properties), as `wrapup provision` creates none of this name; or take it out of the mapping. Then replay.';
}

/** Without the JSON that older answers end in, and the values that it quotes. */
function wordsOf(message: string): string {
  const start = message.indexOf('[{');
  const words = start < 0 ? message : message.slice(0, start).replace(/:\s*$/, '');
  return words.replace(/value=[^}]*/g, 'value=…');
}

/*
 * HubSpot's error bodies, read. Every field of them is optional, and details come in two shapes: as `errors[]`, and, in
 * older ones, as JSON inside the message. https://developers.hubspot.com/docs/api-reference/error-handling
 */

export interface HubSpotVendorError {
  /** HTTP status, or that of an item in a batch answer. */
  status: number;
  /** `category`, or `errorType` of rate limits. */
  category?: string;
  sub_category?: string;
  /** `policyName` of rate limits. */
  policy?: string;
  /** As HubSpot wrote it: may hold personal data. */
  message: string;
  correlation_id?: string;
  details: VendorDetail[];
  /** Inputs of a batch that the error names. */
  trace_ids: string[];
  ids: string[];
  /** The record that already holds the unique value. */
  owner?: string;
  /** Properties that a new record lacks. */
  missing: string[];
  /** Scopes that would have been needed. */
  scopes: string[];
}

interface VendorDetail {
  code: string;
  property?: string;
  message: string;
}

/** Reads an error body, or one of `errors[]` in a batch answer. Never throws. */
export function readVendorError(status: number, body: unknown): HubSpotVendorError {
  const top = asObject(body);
  const context = asObject(top.context);
  const message = typeof body === 'string' ? body.slice(0, 200) : asText(top.message);
  const details = [...readDetails(top.errors), ...readOldDetails(message)];
  const correlation = asText(top.correlationId);
  const category = asText(top.category) || asText(top.errorType);
  const sub = asText(top.subCategory);
  const policy = asText(top.policyName);
  const owner =
    list(context.existingId)[0] ??
    ownerOf(message) ??
    details.map((detail) => ownerOf(detail.message)).find((id) => id !== undefined);
  return {
    status,
    message,
    details,
    trace_ids: [...list(context.objectWriteTraceId), ...innerContext(top.errors, 'objectWriteTraceId')],
    ids: [
      ...list(context.ids),
      ...list(context.id),
      ...list(context.fromObjectId),
      ...innerContext(top.errors, 'ids'),
      ...(LINK_END.exec(message)?.slice(1) ?? []),
    ],
    missing: list(context.properties),
    scopes: [...list(context.requiredGranularScopes), ...innerContext(top.errors, 'requiredGranularScopes')],
    ...(category ? { category } : {}),
    ...(sub ? { sub_category: sub } : {}),
    ...(policy ? { policy } : {}),
    ...(correlation ? { correlation_id: correlation } : {}),
    ...(owner ? { owner } : {}),
  };
}

/**
 * The status of an item in a batch answer, which carries only a word: `{status: "error", category: …}`.
 */
export function itemStatus(item: unknown): number {
  const category = asText(asObject(item).category);
  if (category === 'OBJECT_NOT_FOUND') return 404;
  return category === 'CONFLICT' || category === 'OBJECT_ALREADY_EXISTS' ? 409 : 400;
}

function readDetails(errors: unknown): VendorDetail[] {
  if (!Array.isArray(errors)) return [];
  return errors.map((entry) => {
    const error = asObject(entry);
    const context = asObject(error.context);
    const property = list(context.propertyName)[0] ?? list(context.name)[0] ?? (asText(error.name) || undefined);
    return {
      code: asText(error.code) || asText(error.error),
      message: asText(error.message),
      ...(property ? { property } : {}),
    };
  });
}

/** `Property values were not valid: [{"isValid":false,"error":"PROPERTY_DOESNT_EXIST","name":"x",…}]` */
function readOldDetails(message: string): VendorDetail[] {
  const start = message.indexOf('[{');
  if (start < 0) return [];
  try {
    return readDetails(JSON.parse(message.slice(start, message.lastIndexOf(']') + 1)));
  } catch {
    return [];
  }
}

/**
 * HubSpot names the owner of a unique value only in words: `Contact already exists. Existing ID: 17` and
 * `Cannot set PropertyValueCoordinates{…} on 18. 17 already has that value.`
 */
function ownerOf(message: string): string | undefined {
  return /Existing ID:\s*(\d+)/i.exec(message)?.[1] ?? /(\d+) already has that value/i.exec(message)?.[1];
}

function innerContext(errors: unknown, name: string): string[] {
  return Array.isArray(errors) ? errors.flatMap((entry) => list(asObject(asObject(entry).context)[name])) : [];
}

function list(value: unknown): string[] {
  if (typeof value === 'string' || typeof value === 'number') return [String(value)];
  return Array.isArray(value) ? value.map(String) : [];
}
