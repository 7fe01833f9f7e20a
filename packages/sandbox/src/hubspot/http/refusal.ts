/**
 * How HubSpot says no. General body: https://developers.hubspot.com/docs/api-reference/error-handling
 *
 * A refusal is thrown by whatever finds the mistake; the endpoint makes it the whole answer, or, in a batch that
 * accounts for its rows, one entry of `errors`.
 */
import { randomUUID } from 'node:crypto';
import type { DetailShape } from '../../settings.ts';

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

interface Telling {
  shape: DetailShape;
  portalId: number;
}

function tell(refusal: HubSpotRefusal, { shape, portalId }: Telling): { message: string; errors?: object[] } {
  const { details } = refusal.parts;
  if (!details?.length) return { message: refusal.message };
  const ofProperties = details.every((detail) => detail.property !== undefined);
  const inMessage = ofProperties && shape !== 'errors';
  return {
    message: inMessage
      ? `${refusal.message}: ${JSON.stringify(details.map((d) => legacy(d, portalId)))}`
      : refusal.message,
    ...(shape === 'message' && ofProperties ? {} : { errors: details.map(modern) }),
  };
}

function modern({ message, code, property, context }: Detail): object {
  return {
    message,
    ...(code && { code }),
    context: { ...(property !== undefined && { propertyName: [property] }), ...context },
  };
}

/** The older shape, which clients still meet. */
function legacy({ message, code, property }: Detail, portalId: number): object {
  return { isValid: false, message, error: code, name: property, localizedErrorMessage: message, portalId };
}

/** The whole answer to a request that was refused. */
export function refusalBody(refusal: HubSpotRefusal, telling: Telling): object {
  const { message, errors } = tell(refusal, telling);
  const { category, subCategory, context, links } = refusal.parts;
  return {
    status: 'error',
    message,
    correlationId: randomUUID(),
    ...(errors && { errors }),
    ...(context && { context }),
    ...(links && { links }),
    ...(category && { category }),
    ...(subCategory && { subCategory }),
  };
}

/** One entry of `errors` in a batch answer. */
export function refusalItem(refusal: HubSpotRefusal, telling: Telling, traceIds: string[]): object {
  const { message, errors } = tell(refusal, telling);
  const { category, subCategory, context, links } = refusal.parts;
  return {
    status: 'error',
    category: category ?? 'VALIDATION_ERROR',
    ...(subCategory && { subCategory }),
    message,
    context: { ...context, ...(traceIds.length > 0 && { objectWriteTraceId: traceIds }) },
    errors: errors ?? [],
    links: links ?? {},
  };
}
