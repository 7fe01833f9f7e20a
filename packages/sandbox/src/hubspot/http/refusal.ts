/**
 * How HubSpot says no. General body: https://developers.hubspot.com/docs/api-reference/error-handling
 *
 * A refusal is thrown by whatever finds the mistake; the endpoint makes it the whole answer, or, in a batch that
 * accounts for its rows, one entry of `errors`.
 */
import { randomUUID } from 'node:crypto';
import type { Forms } from '../../settings.ts';
import { HUBSPOT_FORMS } from './forms.ts';

/** One thing that is wrong, usually with one property. */
export interface Detail {
  message: string;
  code: string;
  property?: string;
  context?: Record<string, string[]>;
}

export interface HubSpotRefusalParts {
  status?: number;
  category?: string;
  subCategory?: string;
  context?: Record<string, string[]>;
  details?: Detail[];
  links?: Record<string, string>;
  /** The record that a conflict is with. */
  existingId?: string;
}

export class HubSpotRefusal extends Error {
  override name = 'Refusal';
  readonly status: number;
  readonly parts: HubSpotRefusalParts;

  constructor(message: string, parts: HubSpotRefusalParts = {}) {
    super(message);
    this.status = parts.status ?? 400;
    this.parts = parts;
  }
}

/** 400 VALIDATION_ERROR. */
export function invalid(message: string, parts: HubSpotRefusalParts = {}): HubSpotRefusal {
  return new HubSpotRefusal(message, { category: 'VALIDATION_ERROR', ...parts });
}

/** 400 for values that their properties cannot take; the form of the details is decided when it is answered. */
export function invalidProperties(details: Detail[]): HubSpotRefusal {
  return invalid('Property values were not valid', { details });
}

/** 400 for a body that does not have the shape of the endpoint. The vendor gives no category here. */
export function malformed(what: string): HubSpotRefusal {
  return new HubSpotRefusal(`Invalid input JSON on line 1, column 1: ${what}`);
}

/** 404 for a record that is not there, was archived or was merged away. */
export function notFound(id: string): HubSpotRefusal {
  return new HubSpotRefusal('Object not found.  objectId are usually numeric.', {
    status: 404,
    category: 'OBJECT_NOT_FOUND',
    context: { id: [id] },
  });
}

/** Details of properties stand in the message as JSON. Others were only seen in `errors[]`. */
function messageOf({ message, parts: { details = [] } }: HubSpotRefusal): string {
  const ofProperties = details.filter(({ property }) => property !== undefined);
  if (ofProperties.length === 0) return message;
  return `${message}: ${JSON.stringify(ofProperties.map(inMessage))}`;
}

function inMessage({ message, code, property }: Detail): object {
  return { isValid: false, message, error: code, name: property };
}

function inErrors({ message, code, property, context }: Detail): object {
  return {
    message,
    ...(code && { code }),
    context: { ...(property !== undefined && { propertyName: [property] }), ...context },
  };
}

/** The whole answer to a request that was refused. */
export function refusalBody(refusal: HubSpotRefusal, forms: Forms): object {
  const { category, subCategory, context, links, details = [] } = refusal.parts;
  const scopes = details.find(({ property }) => property === undefined);
  if (scopes && HUBSPOT_FORMS[forms].scopesInContext) {
    const all = { ...scopes.context, links: Object.values(links ?? {}) };
    return { status: 'error', message: scopes.message, correlationId: randomUUID(), context: all, category };
  }
  const listed = details.filter(({ property }) => HUBSPOT_FORMS[forms].detailsInErrors || property === undefined);
  return {
    status: 'error',
    message: messageOf(refusal),
    correlationId: randomUUID(),
    ...(listed.length > 0 && { errors: listed.map(inErrors) }),
    ...(context && { context }),
    ...(links && { links }),
    ...(category && { category }),
    ...(subCategory && { subCategory }),
  };
}

/** One entry of `errors` in a batch answer: it lists no details of its own. */
export function refusalItem(refusal: HubSpotRefusal, forms: Forms, traceIds: string[]): object {
  const { category, subCategory, context, existingId } = refusal.parts;
  const all = {
    ...context,
    ...(traceIds.length > 0 && { objectWriteTraceId: traceIds }),
    ...(existingId && HUBSPOT_FORMS[forms].existingId && { existingId: [existingId] }),
  };
  return {
    status: 'error',
    category: category ?? 'VALIDATION_ERROR',
    ...(subCategory && { subCategory }),
    message: messageOf(refusal),
    ...(Object.keys(all).length > 0 && { context: all }),
  };
}
