/**
 * Several requests in one, which counts as one. A later one may name what an earlier one answered: `@{ref.id}`.
 *
 * composite   up to 25, at most 5 of them queries and collections; allOrNone takes all back after one failure
 * batch       up to 25 that know nothing of each other
 * graph       up to 75 graphs of 500 nodes in all; each graph is one transaction
 *
 * https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/requests_composite.htm
 */
import type { Reply } from '../../reply.ts';
import { asArray, asObject, type Method, type SalesforceCall, type SalesforceEndpoint } from '../http/endpoint.ts';
import { match } from '../http/match-path.ts';
import { refusalReply, SalesforceRefusal } from '../http/refusal.ts';

export interface Subrequest {
  method: Method;
  url: string;
  referenceId: string;
  body?: unknown;
  httpHeaders?: Record<string, string>;
}

export interface Subresponse {
  body: unknown;
  httpHeaders: Record<string, string>;
  httpStatusCode: number;
  referenceId: string;
}

export interface Rules {
  endpoints: SalesforceEndpoint[];
  /** Whether this endpoint may stand here. */
  allows(endpoint: SalesforceEndpoint): boolean;
}

/** @throws Refusal */
export function readSubrequests(given: unknown): Subrequest[] {
  const seen = new Set<string>();
  return asArray(given, '"compositeRequest"').map((item) => {
    const { method, url, referenceId, body, httpHeaders } = asObject(item, 'a subrequest');
    if (typeof referenceId !== 'string' || !/^[A-Za-z]\w*$/.test(referenceId)) {
      throw new SalesforceRefusal(
        'INVALID_INPUT',
        `Provided referenceId (${String(referenceId)}) must start with a letter or a number, and contain only letters, numbers, underscores ('_').`,
      );
    }
    if (seen.has(referenceId))
      throw new SalesforceRefusal('INVALID_INPUT', `Duplicate referenceId provided: ${referenceId}`);
    seen.add(referenceId);
    if (typeof url !== 'string' || !url.startsWith('/services/data/')) {
      throw new SalesforceRefusal('INVALID_INPUT', `The url of ${referenceId} must begin with /services/data/`);
    }
    return {
      method: String(method).toUpperCase() as Method,
      url,
      referenceId,
      body,
      httpHeaders: httpHeaders === undefined ? {} : (asObject(httpHeaders, '"httpHeaders"') as Record<string, string>),
    };
  });
}

export interface Run {
  responses: Subresponse[];
  /** All were successful, and what they wrote is there. */
  successful: boolean;
}

/** Runs them in their order. @param together one failure takes all back */
export function runSubrequests(call: SalesforceCall, requests: Subrequest[], rules: Rules, together: boolean): Run {
  const answers = new Map<string, Subresponse>();
  let failed: string | undefined;
  call.org.records.transaction(() => {
    for (const request of requests) {
      const answer =
        together && failed !== undefined ? halted(request.referenceId) : runOne(call, request, answers, rules);
      answers.set(request.referenceId, answer);
      if (answer.httpStatusCode >= 300) failed ??= request.referenceId;
    }
    return !together || failed === undefined;
  });
  const responses = [...answers.values()].map((answer) =>
    together && failed !== undefined && answer.referenceId !== failed ? halted(answer.referenceId) : answer,
  );
  return { responses, successful: failed === undefined };
}

export function halted(referenceId: string): Subresponse {
  const refusal = new SalesforceRefusal(
    'PROCESSING_HALTED',
    'The transaction was rolled back since another operation in the same transaction failed.',
  );
  return subresponse(referenceId, refusalReply(refusal));
}

function runOne(
  call: SalesforceCall,
  request: Subrequest,
  answers: Map<string, Subresponse>,
  rules: Rules,
): Subresponse {
  const { referenceId } = request;
  try {
    const url = substitute(request.url, answers, true) as string;
    const body = substitute(request.body, answers, false);
    return subresponse(referenceId, perform(call, { ...request, url, body }, rules));
  } catch (error) {
    if (error instanceof SalesforceRefusal) return subresponse(referenceId, refusalReply(error));
    throw error;
  }
}

/** One part, as if it had come alone. @throws Refusal */
export function perform(call: SalesforceCall, request: Omit<Subrequest, 'referenceId'>, rules: Rules): Reply {
  const { method, url, body, httpHeaders = {} } = request;
  const { pathname, searchParams } = new URL(url, 'http://sandbox');
  const found = match(rules.endpoints, method, pathname);
  if (!found) throw new SalesforceRefusal('NOT_FOUND', 'The requested resource does not exist', { status: 404 });
  if (!rules.allows(found.endpoint))
    throw new SalesforceRefusal('INVALID_INPUT', `${method} ${pathname} cannot stand in this request`);
  const headers = Object.fromEntries(Object.entries(httpHeaders).map(([name, value]) => [name.toLowerCase(), value]));
  const part: SalesforceCall = {
    ...call,
    method,
    version: found.version,
    root: `/services/data/v${found.version}`,
    params: found.params,
    query: searchParams,
    headers: { ...call.headers, ...headers },
    body,
  };
  return found.endpoint.handle(part, found.endpoint.prepare?.(part));
}

function subresponse(referenceId: string, { status, body, headers = {} }: Reply): Subresponse {
  const location = headers.location;
  return {
    body: body ?? null,
    httpHeaders: location ? { Location: location } : {},
    httpStatusCode: status,
    referenceId,
  };
}

const REFERENCE = /@\{([A-Za-z]\w*)((?:\.\w+|\[\d+\])*)\}/g;

/** What earlier answers hold, put where it is named. @throws Refusal */
function substitute(value: unknown, answers: Map<string, Subresponse>, inUrl: boolean): unknown {
  if (typeof value === 'string') {
    return value.replace(REFERENCE, (_whole, reference: string, path: string) => {
      const found = String(lookUp(answers, reference, path));
      return inUrl ? encodeURIComponent(found) : found;
    });
  }
  if (Array.isArray(value)) return value.map((item) => substitute(item, answers, inUrl));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, substitute(item, answers, inUrl)]));
}

function lookUp(answers: Map<string, Subresponse>, reference: string, path: string): unknown {
  const answer = answers.get(reference);
  if (!answer)
    throw new SalesforceRefusal('INVALID_INPUT', `Invalid reference specified. No value for ${reference} found`);
  if (answer.httpStatusCode >= 300) {
    throw new SalesforceRefusal('PROCESSING_HALTED', 'Invalid reference specified. The referenced request failed.');
  }
  let at: unknown = answer.body;
  for (const [, name, index] of path.matchAll(/\.(\w+)|\[(\d+)\]/g)) {
    const key = name ?? index ?? '';
    const own = Object.entries((at ?? {}) as object).find(([one]) => one.toLowerCase() === key.toLowerCase());
    at = own?.[1];
  }
  if (at !== undefined && at !== null) return at;
  throw new SalesforceRefusal(
    'INVALID_INPUT',
    `Invalid reference specified. No value for ${reference}${path} found in ${reference}`,
  );
}
