/** Several requests in one. */

import type { FaultTarget } from '../../control/faults.ts';
import type { Reply } from '../../reply.ts';
import { halted, perform, type Rules, readSubrequests, runSubrequests, targetOf } from '../batch/composite.ts';
import {
  asArray,
  asObject,
  bodyOf,
  isTrue,
  type Method,
  ok,
  type Prepared,
  type SalesforceCall,
  type SalesforceEndpoint,
} from '../http/endpoint.ts';
import { match } from '../http/match-path.ts';
import { refusalReply, SalesforceRefusal } from '../http/refusal.ts';
import { holdLocks } from '../records/upserts.ts';
import { collectionEndpoints } from './collections.ts';
import { infoEndpoints } from './info.ts';
import { queryEndpoints } from './queries.ts';
import { sobjectEndpoints } from './sobjects.ts';

/** https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_composite_composite.htm */
const MOST = { subrequests: 25, collections: 5, graphs: 75, nodes: 500, failedGraphs: 14 };

const PARTS = [...collectionEndpoints, ...queryEndpoints, ...sobjectEndpoints];

const inComposite: Rules = { endpoints: PARTS, allows: ({ inComposite }) => inComposite !== undefined };
const inGraph: Rules = { endpoints: PARTS, allows: ({ inGraph }) => inGraph === true };
const inBatch: Rules = { endpoints: [...PARTS, ...infoEndpoints], allows: () => true };

function composite(call: SalesforceCall): Reply {
  const { compositeRequest, allOrNone } = bodyOf(call);
  const requests = readSubrequests(compositeRequest);
  limit(requests.length, MOST.subrequests, 'subrequests');
  const heavy = requests.filter(({ url }) => /\/(?:query|queryAll|composite\/sobjects)(?:[/?]|$)/.test(url)).length;
  limit(heavy, MOST.collections, 'query and sobject collections operations');
  const { responses } = call.org.journal.during(call.n, () =>
    runSubrequests(call, requests, inComposite, isTrue(allOrNone)),
  );
  return ok({ compositeResponse: responses });
}

/** What the parts of a body are about; none of a body that cannot be read. */
function partsOf(body: unknown): (FaultTarget | undefined)[] {
  try {
    const { compositeRequest } = asObject(body, 'The request body');
    return readSubrequests(compositeRequest).map((request) => targetOf(request, inComposite));
  } catch (error) {
    if (error instanceof SalesforceRefusal) return [];
    throw error;
  }
}

/** What its parts write of what is there: that is held from the first of them to the end of all. */
function lockParts(call: SalesforceCall): Prepared | undefined {
  const parts = readSubrequests(bodyOf(call).compositeRequest).filter(({ method }) => method !== 'GET');
  const rows = parts.flatMap(({ method, url, body }) => {
    const { id } = match(PARTS, method, new URL(url, 'http://sandbox').pathname)?.params ?? {};
    const { records } = (body ?? {}) as { records?: unknown };
    return [...(Array.isArray(records) ? records : [body]), { id }].map(
      (row) => Object(row) as Record<string, unknown>,
    );
  });
  return rows.length === 0 ? undefined : holdLocks(call, rows, []);
}

/** The body with that many of its parts. */
export function firstParts(body: unknown, count: number): object {
  const whole = asObject(body, 'The request body');
  return { ...whole, compositeRequest: asArray(whole.compositeRequest, '"compositeRequest"').slice(0, count) };
}

function limit(count: number, most: number, what: string): void {
  if (count > most)
    throw new SalesforceRefusal(
      'LIMIT_EXCEEDED',
      `The maximum number of ${what} per request is ${most}, and ${count} were sent`,
    );
}

function graph(call: SalesforceCall): Reply {
  const graphs = asArray(bodyOf(call).graphs, '"graphs"').map((item) => {
    const { graphId, compositeRequest } = asObject(item, 'a graph');
    return { graphId: String(graphId), requests: readSubrequests(compositeRequest) };
  });
  limit(graphs.length, MOST.graphs, 'graphs');
  limit(
    graphs.reduce((sum, { requests }) => sum + requests.length, 0),
    MOST.nodes,
    'nodes',
  );
  let failed = 0;
  const answers = call.org.journal.during(call.n, () =>
    graphs.map(({ graphId, requests }) => {
      // After so many failures the vendor gives up on the rest.
      if (failed >= MOST.failedGraphs) {
        return answerGraph(
          graphId,
          requests.map(({ referenceId }) => halted(referenceId)),
          false,
        );
      }
      const { responses, successful } = runSubrequests(call, requests, inGraph, true);
      if (!successful) failed += 1;
      return answerGraph(graphId, responses, successful);
    }),
  );
  return ok({ graphs: answers });
}

function answerGraph(graphId: string, compositeResponse: object[], isSuccessful: boolean): object {
  return { graphId, graphResponse: { compositeResponse }, isSuccessful };
}

/** Each counts on its own at the vendor, and none knows of the others. */
function batch(call: SalesforceCall): Reply {
  const { batchRequests, haltOnError } = bodyOf(call);
  const requests = asArray(batchRequests, '"batchRequests"').map((item) => asObject(item, 'a request'));
  limit(requests.length, MOST.subrequests, 'subrequests');
  let hasErrors = false;
  const results = requests.map(({ method, url, richInput }) => {
    if (hasErrors && isTrue(haltOnError)) {
      return {
        statusCode: 412,
        result: [{ errorCode: 'BATCH_PROCESSING_HALTED', message: 'Batch processing halted per request' }],
      };
    }
    const { status, body } = answer(call, {
      method: String(method) as Method,
      url: `/services/data/${String(url).replace(/^\/?(?:services\/data\/)?/, '')}`,
      body: richInput,
    });
    if (status >= 400) hasErrors = true;
    return { statusCode: status, result: body ?? null };
  });
  return ok({ hasErrors, results });
}

function answer(call: SalesforceCall, request: { method: Method; url: string; body: unknown }): Reply {
  try {
    call.org.usage.take(call.settings.limits);
    return perform(call, request, inBatch);
  } catch (error) {
    if (error instanceof SalesforceRefusal) return refusalReply(error);
    throw error;
  }
}

export const compositeEndpoints: SalesforceEndpoint[] = [
  { method: 'POST', path: '/composite', operation: 'composite', prepare: lockParts, handle: composite, parts: partsOf },
  { method: 'POST', path: '/composite/graph', operation: 'composite/graph', handle: graph },
  { method: 'POST', path: '/composite/batch', operation: 'composite/batch', handle: batch },
];
