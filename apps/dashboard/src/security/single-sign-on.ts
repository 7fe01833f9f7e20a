/**
 * Sign-in by OpenID Connect: authorization code with PKCE, at one provider.
 *
 * begun     the browser is sent to the provider; what the answer is checked against (state, nonce, verifier) goes into a cookie of
 *           that browser alone, for ten minutes
 * answered  the code is exchanged here, the ID token checked (issuer, audience, signature, nonce), and the groups in it give the
 *           role: the first line of the configuration that names one of them. In none of them: refused
 *
 * From then on the session is one as any other (`sessions.ts`). What changes at the provider counts from the next sign-in, a day
 * later at most.
 */
import { type LoginRole, ROLES } from '@wrapup/config';
import * as oidc from 'openid-client';
import type { Principal } from './principal.ts';

export interface SingleSignOnOptions {
  issuer: string;
  clientId: string;
  clientSecret: string;
  /** Address that browsers reach the dashboard by. */
  address: string;
  /** Claim with the groups; default `groups`. */
  groupsClaim: string;
  /** In order: the first whose group someone is in counts. */
  groups: readonly GroupRole[];
}

export interface GroupRole {
  group: string;
  role: LoginRole;
  client?: string;
}

/** What is kept in the browser between the two steps. */
export interface BegunSignOn {
  state: string;
  nonce: string;
  verifier: string;
  /** Path to go on to. */
  next: string;
}

/** The provider proved who it is, and no group of theirs has a role. */
export class NoRole extends Error {
  override name = 'NoRole';
}

/** Ms for each answer of the provider. */
const WITHIN_S = 10;
export const CALLBACK_PATH = '/login/callback';

/**
 * Reads `DASHBOARD_OIDC_ISSUER`, `DASHBOARD_OIDC_CLIENT_ID`, `DASHBOARD_OIDC_CLIENT_SECRET`, `DASHBOARD_OIDC_GROUPS`
 * (`wrapup-admins=admin, acme-support=viewer@acme`), `DASHBOARD_OIDC_GROUPS_CLAIM` and `DASHBOARD_URL`.
 * @param read a variable, or the file that is named for it
 * @returns undefined where there is no issuer @throws Error that names the variable that is missing or wrong
 */
export function readSingleSignOn(read: (name: string) => string | undefined): SingleSignOnOptions | undefined {
  const issuer = read('DASHBOARD_OIDC_ISSUER');
  if (!issuer) return undefined;
  const need = (name: string) => {
    const value = read(name);
    if (value) return value;
    throw new Error(`DASHBOARD_OIDC_ISSUER is set, and ${name} is not: sign-in by OpenID Connect needs it`);
  };
  return {
    issuer: addressOf('DASHBOARD_OIDC_ISSUER', issuer),
    address: addressOf('DASHBOARD_URL', need('DASHBOARD_URL')).replace(/\/$/, ''),
    clientId: need('DASHBOARD_OIDC_CLIENT_ID'),
    clientSecret: need('DASHBOARD_OIDC_CLIENT_SECRET'),
    groupsClaim: read('DASHBOARD_OIDC_GROUPS_CLAIM') || 'groups',
    groups: readGroups(need('DASHBOARD_OIDC_GROUPS')),
  };
}

/** Plain HTTP is for this machine alone. */
function addressOf(name: string, text: string): string {
  const url = URL.parse(text);
  if (url && (url.protocol === 'https:' || (url.protocol === 'http:' && isOwnMachine(url)))) return text;
  throw new Error(`${name} must be an address that begins with https://`);
}

function isOwnMachine({ hostname }: URL): boolean {
  return hostname === 'localhost' || hostname === '127.0.0.1' || hostname === '[::1]';
}

function readGroups(text: string): GroupRole[] {
  return text.split(',').map((line) => {
    const [, group = '', name = '', client] =
      /^\s*([^=]+?)\s*=\s*([a-z]+)\s*(?:@\s*([a-z0-9-]+))?\s*$/.exec(line) ?? [];
    const role = ROLES.find((one) => one === name);
    if (group && role) return { group, role, ...(client === undefined ? {} : { client }) };
    throw new Error(
      `DASHBOARD_OIDC_GROUPS holds "${line.trim()}": write group=role or group=role@client, with ${ROLES.join(', ')}`,
    );
  });
}

export class SingleSignOn {
  readonly #options: SingleSignOnOptions;
  #found: Promise<oidc.Configuration> | undefined;

  constructor(options: SingleSignOnOptions) {
    this.#options = options;
  }

  /** Names provider and client: sessions of another are worth nothing. */
  get id(): string {
    const { issuer, clientId } = this.#options;
    return `${issuer} ${clientId}`;
  }

  /** Where the browser is sent to, and what is kept in it meanwhile. @throws Error while the provider does not answer */
  async begin(next: string): Promise<{ location: string; begun: BegunSignOn }> {
    const provider = await this.#provider();
    const verifier = oidc.randomPKCECodeVerifier();
    const begun = { state: oidc.randomState(), nonce: oidc.randomNonce(), verifier, next };
    const location = oidc.buildAuthorizationUrl(provider, {
      redirect_uri: `${this.#options.address}${CALLBACK_PATH}`,
      scope: 'openid profile email',
      code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      state: begun.state,
      nonce: begun.nonce,
    });
    return { location: location.href, begun };
  }

  /**
   * @param query of the answer
   * @throws NoRole; Error for an answer that proves nothing, and while the provider does not answer
   */
  async end(query: string, { state, nonce, verifier }: BegunSignOn): Promise<Principal> {
    const { address, groupsClaim, groups } = this.#options;
    const tokens = await oidc.authorizationCodeGrant(
      await this.#provider(),
      new URL(`${address}${CALLBACK_PATH}${query}`),
      { expectedState: state, expectedNonce: nonce, pkceCodeVerifier: verifier, idTokenExpected: true },
    );
    const claims = tokens.claims();
    if (!claims) throw new Error('the provider sent no ID token');
    const theirs = [claims[groupsClaim]].flat();
    const found = groups.find(({ group }) => theirs.includes(group));
    // An address that is not verified may be another person's.
    const email = claims.email_verified === false ? undefined : claims.email;
    const name = typeof email === 'string' && email !== '' ? email : claims.sub;
    if (!found) throw new NoRole(name);
    const { role, client } = found;
    return { name, role, provider: this.id, ...(client === undefined ? {} : { client }) };
  }

  #provider(): Promise<oidc.Configuration> {
    const { issuer, clientId, clientSecret } = this.#options;
    const url = new URL(issuer);
    const execute = url.protocol === 'http:' ? [oidc.allowInsecureRequests] : [];
    this.#found ??= oidc
      .discovery(url, clientId, clientSecret, undefined, { execute, timeout: WITHIN_S })
      .catch((error: unknown) => {
        // Asked again at the next sign-in.
        this.#found = undefined;
        throw error;
      });
    return this.#found;
  }
}
