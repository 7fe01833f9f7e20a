import { type HubSpotEndpoint, type HubSpotRequest, ok, paths, typeOf } from '../http/endpoint.ts';
import { readJson } from '../records/record-json.ts';
import type { HubSpotIndexedRecord } from '../search/indexed-record.ts';
import { compare, matches, matchesQuery } from '../search/search-match.ts';
import { readSearch, type SearchRequest } from '../search/search-request.ts';

function search(call: HubSpotRequest) {
  const { account, settings } = call;
  const type = typeOf(call);
  const request = readSearch(call, type);
  const found = account.index
    .visible(type.id, settings.search_lag)
    .filter(
      ({ properties }) => matches(properties, request.groups) && matchesQuery(properties, type.searched, request.query),
    );
  if (request.sort) found.sort(bySort(request.sort));
  else found.sort((a, b) => Number(a.id) - Number(b.id));
  const end = request.after + request.limit;
  return ok({
    total: found.length,
    // Found by what the index knows, and shown as it is now.
    results: found
      .slice(request.after, end)
      .map((record) => readJson(call, type, account.records.get(type, record.id) ?? record, request.properties)),
    ...(end < found.length && { paging: { next: { after: String(end) } } }),
  });
}

/** Records without the property come last, whichever way it goes. */
function bySort({ property, type, descending }: NonNullable<SearchRequest['sort']>) {
  return (a: HubSpotIndexedRecord, b: HubSpotIndexedRecord): number => {
    const [left, right] = [a.properties.get(property), b.properties.get(property)];
    if (left === undefined || right === undefined) return left === right ? 0 : left === undefined ? 1 : -1;
    return compare(type, left, right) * (descending ? -1 : 1);
  };
}

export const searchEndpoints: HubSpotEndpoint[] = [
  {
    method: 'POST',
    paths: paths('v3', 'objects', '/:object/search'),
    operation: 'search',
    scopes: (call) => typeOf(call).scopes.read,
    isSearch: true,
    handle: search,
  },
];
