/**
 * Tokens of an OAuth app: a refresh token is exchanged for access tokens that end after a while.
 * https://developers.hubspot.com/docs/api-reference/latest/authentication/manage-oauth-tokens
 */
import { randomUUID } from 'node:crypto';
import type { Reply } from '../../reply.ts';
import type { OAuthSettings } from '../../settings.ts';

export class OAuthTokens {
  /** Epoch ms at which each access token ends. */
  readonly #ends = new Map<string, number>();
  /** The refresh token that is taken now; until the first exchange that of the settings. */
  #refresh: string | undefined;

  /** Epoch ms at which the token ends or ended; undefined when it was never given. */
  endOf(token: string): number | undefined {
    return this.#ends.get(token);
  }

  /** Answers the token endpoint. @param form as the client posted it */
  exchange(form: URLSearchParams, settings: OAuthSettings): Reply {
    const current = this.#refresh ?? settings.refresh_token;
    if (form.get('client_id') !== settings.client_id || form.get('client_secret') !== settings.client_secret) {
      return refused('BAD_CLIENT_SECRET', 'invalid_client', 'missing or invalid client secret');
    }
    if (form.get('grant_type') !== 'refresh_token') {
      return refused('BAD_GRANT_TYPE', 'unsupported_grant_type', 'the sandbox only refreshes tokens');
    }
    if (form.get('refresh_token') !== current) {
      return refused('BAD_REFRESH_TOKEN', 'invalid_grant', 'missing or invalid refresh token');
    }
    this.#refresh = settings.rotate ? randomUUID() : current;
    const token = `oauth-${randomUUID()}`;
    this.#ends.set(token, Date.now() + settings.expires_in * 1_000);
    const body = {
      token_type: 'bearer',
      access_token: token,
      refresh_token: this.#refresh,
      expires_in: settings.expires_in,
    };
    return { status: 200, body };
  }
}

function refused(status: string, error: string, description: string): Reply {
  return { status: 400, body: { error, error_description: description, status, message: description } };
}
