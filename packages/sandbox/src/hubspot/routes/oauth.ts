import { DATE_VERSIONS, type HubSpotEndpoint } from '../http/endpoint.ts';

export const oauthEndpoints: HubSpotEndpoint[] = [
  {
    method: 'POST',
    paths: ['/oauth/v1/token', ...DATE_VERSIONS.map((date) => `/oauth/${date}/token`)],
    operation: 'oauth token',
    scopes: () => [],
    isOpen: true,
    handle: ({ account, settings, bodyText }) => account.oauth.exchange(new URLSearchParams(bodyText), settings.oauth),
  },
];
