/**
 * HubSpot's error bodies, read. Every field of them is optional, and details come in two shapes: as `errors[]`, and, in
 * older ones, as JSON inside the message. https://developers.hubspot.com/docs/api-reference/error-handling
 */
import { asObject, asText } from '@wrapup/destination/http';

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
  /** Scopes that would have been needed. */
  scopes: string[];
}

export interface VendorDetail {
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
  const owner = ownerOf(message) ?? details.map((detail) => ownerOf(detail.message)).find((id) => id !== undefined);
  return {
    status,
    message,
    details,
    trace_ids: [...list(context.objectWriteTraceId), ...innerContext(top.errors, 'objectWriteTraceId')],
    ids: [...list(context.ids), ...list(context.id), ...innerContext(top.errors, 'ids')],
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
