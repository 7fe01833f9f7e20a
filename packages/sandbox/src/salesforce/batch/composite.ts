/**
 * Several requests in one, which counts as one. A later one may name what an earlier one answered: `@{ref.id}`, and
 * `@{ref[0].id}` of the first row of a collection.
 *
 * composite   up to 25, at most 5 of them queries and collections; allOrNone takes all back after one failure, that of a
 *             row of a collection among them
 * batch       up to 25 that know nothing of each other
 * graph       up to 75 graphs of 500 nodes in all; each graph is one transaction
 *
 * https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/requests_composite.htm
 */
import { type FaultSpec, isMeant } from '../../control/faults.ts';
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

/** Headers that a part has of the whole request, and may not have of its own. */
const INHERITED = ['accept', 'authorization', 'content-type'];

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
    const headers = httpHeaders === undefined ? {} : (asObject(httpHeaders, '"httpHeaders"') as Record<string, string>);
    const own = Object.keys(headers).find((name) => INHERITED.includes(name.toLowerCase()));
    if (own !== undefined)
      throw new SalesforceRefusal('INVALID_INPUT', `The header ${own} of ${referenceId} is that of the whole request`);
    return { method: String(method).toUpperCase() as Method, url, referenceId, body, httpHeaders: headers };
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
  const { fault } = call;
  const isAbout = (request: Omit<Subrequest, 'referenceId'>) => {
    const target = fault && targetOf(request, rules);
    return target !== undefined && isMeant(fault as FaultSpec, target);
  };
  // One that is about no part in particular is about all of them.
  const isWhole = !requests.some(isAbout);
  const whole: SalesforceCall = {
    ...call,
    together,
    rows_before: new Map(),
    fault_of: (request) => (isWhole || isAbout(request) ? fault : undefined),
  };
  let failed: string | undefined;
  call.org.records.transaction(() => {
    for (const request of requests) {
      const answer =
        together && failed !== undefined ? halted(request.referenceId) : runOne(whole, request, answers, rules);
      answers.set(request.referenceId, answer);
      if (answer.httpStatusCode >= 300 || (together && hasFailedRow(answer))) failed ??= request.referenceId;
    }
    return !together || failed === undefined;
  });
  const responses = [...answers.values()].map((answer) =>
    together && failed !== undefined && answer.referenceId !== failed ? halted(answer.referenceId) : answer,
  );
  return { responses, successful: failed === undefined };
}

function hasFailedRow({ body }: Subresponse): boolean {
  return Array.isArray(body) && body.some((row) => (row as { success?: unknown } | null)?.success === false);
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
    const url = substitute(request.url, { call, answers, inUrl: true }) as string;
    const body = substitute(request.body, { call, answers, inUrl: false });
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
  const inherited = Object.entries(call.headers).filter(([name]) => INHERITED.includes(name));
  const part: SalesforceCall = {
    ...call,
    method,
    version: found.version,
    root: `/services/data/v${found.version}`,
    params: found.params,
    query: searchParams,
    headers: { ...Object.fromEntries(inherited), ...headers },
    body,
    fault: call.fault_of?.(request),
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

/** What a fault has to be about to hit this part. Undefined where nothing is served under its address. */
export function targetOf({ method, url, body }: Omit<Subrequest, 'referenceId'>, { endpoints }: Rules) {
  const found = match(endpoints, method, new URL(url, 'http://sandbox').pathname);
  if (!found) return undefined;
  return { api: 'salesforce', method, path: url, object: found.params.object ?? found.endpoint.objectOf?.(body) };
}

/* References. https://developer.salesforce.com/docs/platform/api-rest/guide/requests-composite.html */

const REFERENCE = /@\{([A-Za-z]\w*)((?:\.\w+|\[\d+\])*)\}/g;

interface Answered {
  call: SalesforceCall;
  answers: Map<string, Subresponse>;
  inUrl: boolean;
}

/** What earlier answers hold, put where it is named, in texts of any length. @throws Refusal */
function substitute(value: unknown, answered: Answered): unknown {
  if (typeof value === 'string') {
    let cleared = false;
    const text = value.replace(REFERENCE, (whole, reference: string, path: string) => {
      const found = lookUp(answered, reference, path);
      cleared ||= found === null && whole === value;
      return answered.inUrl ? encodeURIComponent(String(found ?? '')) : String(found ?? '');
    });
    return cleared ? null : text;
  }
  if (Array.isArray(value)) return value.map((item) => substitute(item, answered));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, substitute(item, answered)]));
}

/**
 * Names are those of the answer, in its spelling. What is not there halts the part; what is there and empty is empty, from
 * version 52 on, where a record was read.
 * https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_composite_subrequest_result.htm
 */
function lookUp({ call, answers }: Answered, reference: string, path: string): string | number | boolean | null {
  const answer = answers.get(reference);
  if (answer && answer.httpStatusCode >= 300)
    throw new SalesforceRefusal('PROCESSING_HALTED', 'Invalid reference specified. The referenced request failed.');
  let at: unknown = answer?.body;
  for (const [, name, index] of path.matchAll(/\.(\w+)|\[(\d+)\]/g)) {
    const own = typeof at === 'object' && at !== null ? at : {};
    const key = name ?? index ?? '';
    at = Object.hasOwn(own, key) ? (own as Record<string, unknown>)[key] : undefined;
  }
  if (typeof at === 'string' || typeof at === 'number' || typeof at === 'boolean') return at;
  if (at === null && Number(call.version) >= 52 && !Array.isArray(answer?.body)) return null;
  if (isFailedRow(answer?.body, path) && call.settings.failed_references === 'null') return null;
  throw new SalesforceRefusal(
    'PROCESSING_HALTED',
    `Invalid reference specified. No value for ${reference}${path} found in ${reference}. Provided referenceId ('${reference}${path}') must start with a letter or a number, and it can contain only letters, numbers and underscores ('_').`,
  );
}

/** `[3].id` of a row that failed. */
function isFailedRow(body: unknown, path: string): boolean {
  const index = /^\[(\d+)\]/.exec(path)?.[1];
  const row = Array.isArray(body) && index !== undefined ? body[Number(index)] : undefined;
  return (row as { success?: unknown } | null | undefined)?.success === false;
}
