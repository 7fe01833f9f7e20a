/** What an integration asks about the account itself: its id, its people, its call outcomes. */
import { DATE_VERSIONS, type HubSpotEndpoint, type HubSpotRequest, limitOf, ok } from '../http/endpoint.ts';
import { notFound } from '../http/refusal.ts';
import type { Owner } from '../schema/schema.ts';

const SINCE = '2024-01-15T09:00:00Z';

function details(call: HubSpotRequest) {
  return ok({
    portalId: call.account.portalId,
    accountType: 'DEVELOPER_TEST',
    timeZone: 'US/Eastern',
    companyCurrency: 'USD',
    additionalCurrencies: [],
    utcOffset: '-05:00',
    utcOffsetMilliseconds: -18_000_000,
    uiDomain: call.account.uiDomain,
    dataHostingLocation: 'na1',
  });
}

function ownerJson({ userId, archived, ...owner }: Owner): object {
  return {
    ...owner,
    type: 'PERSON',
    userId: archived ? null : userId,
    userIdIncludingInactive: userId,
    createdAt: SINCE,
    updatedAt: SINCE,
    archived,
  };
}

function owners(call: HubSpotRequest) {
  const { query, account } = call;
  const archived = query.get('archived') === 'true';
  const email = query.get('email')?.toLowerCase();
  const limit = limitOf(query, 100, 500);
  const after = Number(query.get('after') ?? 0);
  const found = account.schema.owners.filter(
    (owner) => owner.archived === archived && (!email || owner.email === email),
  );
  return ok({
    results: found.slice(after, after + limit).map(ownerJson),
    ...(after + limit < found.length && { paging: { next: { after: String(after + limit) } } }),
  });
}

function owner(call: HubSpotRequest) {
  const { params, query, account } = call;
  const archived = query.get('archived') === 'true';
  const by = query.get('idProperty') === 'userId' ? 'userId' : 'id';
  const found = account.schema.owners.find((one) => String(one[by]) === params.id && one.archived === archived);
  if (!found) throw notFound(params.id ?? '');
  return ok(ownerJson(found));
}

/** The options of the calls' outcome property, as the calling API lists them. */
function dispositions(call: HubSpotRequest) {
  const { schema } = call.account;
  const options = schema.property(schema.type('calls'), 'hs_call_disposition')?.options ?? [];
  return ok(options.map(({ value, label, hidden }) => ({ id: value, label, deleted: hidden })));
}

const ownerPaths = (rest: string) => [
  `/crm/v3/owners${rest}`,
  ...DATE_VERSIONS.map((date) => `/crm/owners/${date}${rest}`),
];

export const accountEndpoints: HubSpotEndpoint[] = [
  {
    method: 'GET',
    paths: ['/account-info/v3/details', ...DATE_VERSIONS.map((date) => `/account-info/${date}/details`)],
    operation: 'account details',
    // Any token may ask this, whatever its scopes.
    scopes: () => [],
    handle: details,
  },
  {
    method: 'GET',
    paths: ownerPaths(''),
    operation: 'owners',
    scopes: () => ['crm.objects.owners.read'],
    handle: owners,
  },
  {
    method: 'GET',
    paths: ownerPaths('/:id'),
    operation: 'owner',
    scopes: () => ['crm.objects.owners.read'],
    handle: owner,
  },
  {
    method: 'GET',
    paths: ['/calling/v1/dispositions'],
    operation: 'dispositions',
    scopes: () => ['crm.objects.contacts.read'],
    handle: dispositions,
  },
];
