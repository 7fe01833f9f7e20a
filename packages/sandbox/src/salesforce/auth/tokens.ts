/**
 * Access tokens, and the ways to get one: client credentials, a JWT, a refresh token. An answer never says how long a
 * token lives; a 401 does.
 */
import { createPublicKey, randomBytes, randomUUID, verify } from 'node:crypto';
import type { Reply } from '../../reply.ts';
import type { SalesforceOAuth } from '../../settings.ts';
import { ORG_ID } from '../schema/ids.ts';

const JWT_GRANT = 'urn:ietf:params:oauth:grant-type:jwt-bearer';

export interface Grant {
  /** Where the org is served: scheme, host and path. */
  instanceUrl: string;
  userId: string;
}

export class Tokens {
  /** Epoch ms at which each ends. */
  readonly #ends = new Map<string, number>();
  /** The refresh token that is taken now; until the first exchange that of the settings. */
  #refresh: string | undefined;
  #refreshing = false;

  isGood(token: string): boolean {
    return (this.#ends.get(token) ?? 0) > Date.now();
  }

  /** A token as any of the flows gives it. */
  issue({ expires_in }: SalesforceOAuth): string {
    const token = `${ORG_ID.slice(0, 15)}!${randomBytes(48).toString('base64url')}`;
    this.#ends.set(token, Date.now() + expires_in * 1_000);
    return token;
  }

  revoke(token: string): void {
    this.#ends.delete(token);
  }

  /**
   * Answers the token endpoint.
   * @param hold lasts as long as the vendor is busy with a refresh: a second one in that time is refused
   */
  async exchange(
    form: URLSearchParams,
    settings: SalesforceOAuth,
    grant: Grant,
    hold: () => Promise<void>,
  ): Promise<Reply> {
    switch (form.get('grant_type')) {
      case 'client_credentials':
        return (
          checkClient(form, settings) ??
          this.#granted(settings, grant, { signed: true, more: { api_instance_url: grant.instanceUrl } })
        );
      case JWT_GRANT:
        return (
          checkAssertion(form.get('assertion') ?? '', settings) ?? this.#granted(settings, grant, { signed: false })
        );
      case 'refresh_token':
        return this.#exchangeRefresh(form, settings, grant, hold);
      case null:
        return refused('invalid_request', 'must provide grant_type');
      default:
        return refused('unsupported_grant_type', 'grant type not supported');
    }
  }

  async #exchangeRefresh(
    form: URLSearchParams,
    settings: SalesforceOAuth,
    grant: Grant,
    hold: () => Promise<void>,
  ): Promise<Reply> {
    const wrong = checkClient(form, settings);
    if (wrong) return wrong;
    if (form.get('refresh_token') !== (this.#refresh ?? settings.refresh_token)) {
      return refused('invalid_grant', 'expired access/refresh token');
    }
    if (this.#refreshing) return refused('invalid_grant', 'token request is already being processed');
    this.#refreshing = true;
    try {
      await hold();
    } finally {
      this.#refreshing = false;
    }
    if (!settings.rotate) return this.#granted(settings, grant, { signed: true });
    this.#refresh = `5Aep${randomUUID().replaceAll('-', '')}`;
    return this.#granted(settings, grant, { signed: true, more: { refresh_token: this.#refresh } });
  }

  #granted(
    settings: SalesforceOAuth,
    { instanceUrl, userId }: Grant,
    { signed, more = {} }: { signed: boolean; more?: object },
  ): Reply {
    const body = {
      access_token: this.issue(settings),
      ...(signed && { signature: randomBytes(32).toString('base64') }),
      scope: 'api refresh_token',
      instance_url: instanceUrl,
      id: `${instanceUrl}/id/${ORG_ID}/${userId}`,
      token_type: 'Bearer',
      ...(signed && { issued_at: String(Date.now()) }),
      ...more,
    };
    return { status: 200, body };
  }
}

function refused(error: string, description: string, status = 400): Reply {
  return { status, body: { error, error_description: description } };
}

function checkClient(form: URLSearchParams, { client_id, client_secret }: SalesforceOAuth): Reply | undefined {
  if (form.get('client_id') !== client_id) return refused('invalid_client_id', 'client identifier invalid');
  if (form.get('client_secret') !== client_secret) return refused('invalid_client', 'invalid client credentials');
  return undefined;
}

/** The signature is checked where the settings hold the app's certificate; the claims always. */
function checkAssertion(assertion: string, { client_id, username, certificate }: SalesforceOAuth): Reply | undefined {
  const [head, claims, signature] = assertion.split('.');
  if (!head || !claims || !signature) return refused('invalid_grant', 'invalid assertion');
  const { alg } = parse(head);
  const { iss, sub, aud, exp } = parse(claims);
  if (alg !== 'RS256' || typeof exp !== 'number' || typeof aud !== 'string')
    return refused('invalid_grant', 'invalid assertion');
  if (iss !== client_id) return refused('invalid_client_id', 'client identifier invalid');
  const seconds = Date.now() / 1_000;
  if (exp < seconds || exp > seconds + 300) return refused('invalid_grant', 'expired authorization code');
  if (sub !== username) return refused('invalid_grant', "user hasn't approved this consumer");
  if (certificate === null) return undefined;
  const isSigned = verify(
    'RSA-SHA256',
    Buffer.from(`${head}.${claims}`),
    createPublicKey(certificate),
    Buffer.from(signature, 'base64url'),
  );
  return isSigned ? undefined : refused('invalid_grant', 'invalid assertion');
}

function parse(part: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
