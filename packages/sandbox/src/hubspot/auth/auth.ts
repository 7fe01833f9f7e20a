/** Who may ask what. https://developers.hubspot.com/docs/api-reference/error-handling */
import { HubSpotRefusal } from '../http/refusal.ts';

export interface HubSpotGrants {
  /** The only token that is taken; without it any that begins with `pat-`. */
  token: string | undefined;
  revokedTokens: string[];
  revokedScopes: string[];
  /** Epoch ms at which a token of an OAuth app ends; undefined when it is none. */
  oauthEndOf(token: string): number | undefined;
}

/** The bearer token of a request. @throws Refusal 401 when it is missing or unknown */
export function authenticate(authorization: string | undefined, grants: HubSpotGrants): string {
  const { token, revokedTokens } = grants;
  const given = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
  const end = given === undefined ? undefined : grants.oauthEndOf(given);
  if (end !== undefined && end <= Date.now()) throw expired(end);
  const known =
    end !== undefined || (given !== undefined && (token === undefined ? given.startsWith('pat-') : given === token));
  if (given !== undefined && known && !revokedTokens.includes(given)) return given;
  throw new HubSpotRefusal(
    'Authentication credentials not found. This API supports OAuth 2.0 authentication and you can find more details at https://developers.hubspot.com/docs/methods/auth/oauth-overview',
    { status: 401, category: 'INVALID_AUTHENTICATION' },
  );
}

function expired(end: number): HubSpotRefusal {
  const seconds = Math.max(0, Math.round((Date.now() - end) / 1_000));
  return new HubSpotRefusal(`The OAuth token used to make this call expired ${seconds} second(s) ago.`, {
    status: 401,
    category: 'EXPIRED_AUTHENTICATION',
    context: { 'expire time': [new Date(end).toISOString()] },
  });
}

/**
 * @param scopes any one of them is enough; none are needed when there are none
 * @param grantable whether a token of that kind can have them at all
 */
export function authorise(scopes: string[], { revokedScopes }: HubSpotGrants): void {
  if (scopes.length === 0 || scopes.some((scope) => !revokedScopes.includes(scope))) return;
  throw new HubSpotRefusal(
    "This app hasn't been granted all required scopes to make this call. Read more about required scopes here: https://developers.hubspot.com/scopes.",
    {
      status: 403,
      category: 'MISSING_SCOPES',
      details: [
        {
          message: 'One or more of the following scopes are required.',
          code: '',
          context: { requiredGranularScopes: scopes },
        },
      ],
      links: { scopes: 'https://developers.hubspot.com/scopes' },
    },
  );
}
