/** What an object is, apart from its properties. https://developers.hubspot.com/docs/api-reference/latest/crm/objects/schemas/guide */
import { DATE_VERSIONS, type HubSpotEndpoint, type HubSpotRequest, ok, typeOf } from '../http/endpoint.ts';

function one(call: HubSpotRequest) {
  const { id, name, singular, required, searched } = typeOf(call);
  const { portalId } = call.account;
  return ok({
    objectTypeId: id,
    fullyQualifiedName: `p${portalId}_${name}`,
    name,
    labels: { singular, plural: name },
    requiredProperties: required,
    searchableProperties: searched,
    primaryDisplayProperty: searched[0] ?? 'hs_object_id',
    archived: false,
  });
}

export const schemaEndpoints: HubSpotEndpoint[] = [
  {
    method: 'GET',
    paths: [
      '/crm-object-schemas/v3/schemas/:object',
      ...DATE_VERSIONS.map((date) => `/crm-object-schemas/${date}/schemas/:object`),
    ],
    operation: 'object schema',
    scopes: (call) => typeOf(call).scopes.schemaRead,
    handle: one,
  },
];
