/** Sign-in by OpenID Connect against a real provider, step by step as a browser does it. */
import { createHook } from 'node:async_hooks';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readSingleSignOn, type SingleSignOnOptions } from '../src/security/single-sign-on.ts';
import { BROWSER, configWithAcme, type Harness, parked, parkedOfAcme, startDashboard } from './support/harness.ts';
import { startIdentityProvider } from './support/identity-provider.ts';

const PEOPLE = {
  dana: { email: 'dana@example.com', email_verified: true, groups: ['staff', 'wrapup-admins'] },
  eve: { email: 'eve@example.com', email_verified: true, groups: ['acme-support'] },
  tom: { email: 'tom@example.com', email_verified: true, groups: ['staff'] },
  una: { email: 'dana@example.com', email_verified: false, groups: ['acme-support'] },
};

let dashboard: Harness;
let provider: Awaited<ReturnType<typeof startIdentityProvider>>;
let options: SingleSignOnOptions;
beforeAll(async () => {
  // The provider knows where it leads back to before the dashboard listens.
  const port = await freePort();
  const address = `http://127.0.0.1:${port}`;
  provider = await startIdentityProvider(PEOPLE, `${address}/login/callback`);
  options = {
    ...{ issuer: provider.issuer, clientId: 'wrapup', clientSecret: 'a secret of the client', address },
    groupsClaim: 'groups',
    groups: [
      { group: 'wrapup-admins', role: 'admin' },
      { group: 'acme-support', role: 'viewer', client: 'acme' },
    ],
  };
  const config = configWithAcme();
  dashboard = await startDashboard({ singleSignOn: options, config: () => config, port });
});
afterAll(async () => {
  await dashboard.close();
  await provider.close();
});

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

/** A browser's cookies, by host and port alike: both are on 127.0.0.1. */
class Jar {
  readonly #cookies = new Map<string, string>();

  async go(address: string, form?: Record<string, string>): Promise<Response> {
    const answer = await fetch(address, {
      method: form ? 'POST' : 'GET',
      redirect: 'manual',
      headers: { ...BROWSER, cookie: [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
      ...(form ? { body: new URLSearchParams(form) } : {}),
    });
    for (const cookie of answer.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
      if (value === '' || /expires=Thu, 01 Jan 1970/i.test(cookie)) this.#cookies.delete(name);
      else this.#cookies.set(name, value);
    }
    return answer;
  }

  drop(name: string): void {
    this.#cookies.delete(name);
  }

  /** Goes on where answers lead, and fills in the provider's forms. @returns the answer of the way back */
  async signIn(who: string, next = '/parked'): Promise<{ answer: Response; back: string }> {
    let address = `${dashboard.url}/login/provider?next=${encodeURIComponent(next)}`;
    for (let step = 0; step < 12; step += 1) {
      if (address.startsWith(`${dashboard.url}/login/callback`))
        return { answer: await this.go(address), back: address };
      let answer = await this.go(address);
      if (answer.status === 200) {
        const page = await answer.text();
        const action = /<form[^>]*action="([^"]+)"/.exec(page)?.[1] ?? '';
        const prompt = /name="prompt" value="([^"]+)"/.exec(page)?.[1] ?? '';
        answer = await this.go(action, { prompt, ...(prompt === 'login' ? { login: who, password: 'any' } : {}) });
      }
      const location = answer.headers.get('location');
      if (!location) throw new Error(`the sign-in stops at ${address} with ${answer.status}: ${await answer.text()}`);
      address = new URL(location, address).href;
    }
    throw new Error('the sign-in goes in circles');
  }

  page(path: string): Promise<Response> {
    return this.go(`${dashboard.url}${path}`);
  }
}

describe('a sign-in at the provider', () => {
  it('gives the role of the first group that has one, in a session as any other', async () => {
    const jar = new Jar();
    const { answer } = await jar.signIn('dana');
    expect(answer.status).toBe(200);
    expect(await answer.text()).toContain('content="0; url=/parked"');
    expect(answer.headers.getSetCookie().join()).toMatch(/wrapup_session=[^;]+.*HttpOnly.*SameSite=Strict/);
    expect((await jar.page('/audit')).status).toBe(200);
    const { entries } = await dashboard.store.audit.page({ by: 'dana@example.com' });
    expect(entries).toMatchObject([{ action: 'sign in', via: 'dashboard', from: '127.0.0.1' }]);
  });

  it('binds to a client, whose calls alone are seen, and none of which may be dropped', async () => {
    const other = await dashboard.seed(parked());
    const own = await dashboard.seed(parkedOfAcme());
    const jar = new Jar();
    await jar.signIn('eve');
    const list = await (await jar.page('/parked')).text();
    expect(list).toContain(own);
    expect(list).not.toContain(other);
    const page = await (await jar.page(`/calls/${own}?source=acme.main`)).text();
    expect(page).not.toMatch(/<summary>Drop|>Replay</);
    expect((await jar.page(`/calls/${other}?source=main`)).status).toBe(404);
    const cookie =
      /wrapup_session=[^;]+/.exec((await new Jar().signIn('eve')).answer.headers.getSetCookie().join())?.[0] ?? '';
    const fields = { source: 'acme.main', route: 'acme.calls', reason: 'x' };
    expect((await dashboard.post(`/calls/${own}/drop`, fields, { origin: dashboard.url, cookie })).status).toBe(403);
    expect((await dashboard.store.ledger.read('acme.main', own))?.deliveries[0]?.state).toBe('parked');
  });

  it('in none of the groups is refused, and an address that is not verified names no one', async () => {
    const jar = new Jar();
    const { answer } = await jar.signIn('tom');
    expect(answer.status).toBe(403);
    expect(await answer.text()).toContain('No group of yours has a role here');
    expect((await jar.page('/parked')).status).toBe(303);
    await new Jar().signIn('una');
    expect((await dashboard.store.audit.page({ by: 'una' })).entries).toMatchObject([
      { action: 'sign in', client: 'acme' },
    ]);
  });

  it('counts once, for the browser that began it', async () => {
    const jar = new Jar();
    const { back } = await jar.signIn('dana');
    expect((await jar.go(back)).status).toBe(403);
    expect((await new Jar().go(back)).status).toBe(403);
    expect((await new Jar().go(`${dashboard.url}/login/callback?code=made-up&state=made-up`)).status).toBe(403);
    expect((await new Jar().go(`${dashboard.url}/login/callback`)).status).toBe(403);
    // Nor does it lead to another site.
    const { answer } = await new Jar().signIn('dana', '//evil.example/');
    expect(await answer.text()).toContain('content="0; url=/"');
  });

  it('that proves nothing is logged with its address, and not as often as a sender likes', async () => {
    const begun = Buffer.from(JSON.stringify({ state: 's', nonce: 'n', verifier: 'v', next: '/' })).toString(
      'base64url',
    );
    const cookie = `wrapup_sign_on=${begun}`;
    for (let n = 0; n < 30; n += 1)
      expect((await dashboard.get('/login/callback?code=x&state=other', { cookie })).status).toBe(403);
    const lines = dashboard.logged().match(/.*proved nothing.*/g) ?? [];
    expect(lines[0]).toContain('"address":"127.0.0.1"');
    expect(lines.length).toBeLessThan(30);
  });

  it('is worth nothing at a dashboard without it, or with another provider', async () => {
    const { answer } = await new Jar().signIn('dana');
    const cookie = /wrapup_session=[^;]+/.exec(answer.headers.getSetCookie().join())?.[0] ?? '';
    expect((await dashboard.get('/parked', { cookie })).status).toBe(200);
    const credentials = { user: 'dana@example.com', password: 'a long enough password' };
    for (const parts of [{ credentials }, { singleSignOn: { ...options, clientId: 'another' } }]) {
      const another = await startDashboard({ ...parts, prefix: dashboard.prefix });
      expect((await another.get('/parked', { cookie })).status).toBe(401);
      await another.close();
    }
    expect((await dashboard.post('/logout', {}, { origin: dashboard.url, cookie })).status).toBe(303);
    expect((await dashboard.get('/parked', { cookie })).status).toBe(401);
  });

  it('cannot be made up, and a made-up one costs no derivation of a key, whatever name it has', async () => {
    const { answer } = await new Jar().signIn('dana');
    const [, head = '', claims = '', signature = ''] =
      /wrapup_session=([^.]+)\.([^.]+)\.([^;]+)/.exec(answer.headers.getSetCookie().join()) ?? [];
    const known = JSON.parse(Buffer.from(claims, 'base64url').toString());
    expect(known).toMatchObject({ sub: 'dana@example.com', role: 'admin', provider: `${provider.issuer} wrapup` });
    let derived = 0;
    const hook = createHook({
      init: (_id, type) => {
        if (type === 'SCRYPTREQUEST') derived += 1;
      },
    }).enable();
    try {
      for (const sub of ['eve@example.com', 'a', 'b']) {
        const made = Buffer.from(JSON.stringify({ ...known, sub })).toString('base64url');
        const cookie = `wrapup_session=${head}.${made}.${signature}`;
        expect((await dashboard.get('/parked', { cookie })).status).toBe(401);
      }
      expect(derived).toBe(0);
    } finally {
      hook.disable();
    }
  });
});

const CHROMIUM = process.env.CHROMIUM_PATH || '/usr/bin/chromium';

it.skipIf(!existsSync(CHROMIUM))(
  'a real browser signs in there, sees the calls of one client, and may not drop',
  async () => {
    const other = await dashboard.seed(parked());
    const own = await dashboard.seed(parkedOfAcme());
    const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu'] });
    try {
      const page = await browser.newPage();
      await page.goto(`${dashboard.url}/parked`);
      await page.click('text=Sign in with your company’s account');
      await page.fill('input[name=login]', 'eve');
      await page.fill('input[name=password]', 'any');
      await page.click('button[type=submit]');
      await page.click('button[type=submit]');
      await page.waitForURL(`${dashboard.url}/parked`);
      const list = await page.innerText('body');
      expect(list).toContain(own);
      expect(list).not.toContain(other);
      expect(list).toContain('eve@example.com');
      await page.click(`text=${own}`);
      expect(
        await page.locator('form[method=post][action*="/drop"], form[method=post][action*="/replay"]').count(),
      ).toBe(0);
      // What the page does not offer is refused as well.
      const status = await page.evaluate(async (path) => {
        const body = new URLSearchParams({ source: 'acme.main', route: 'acme.calls', reason: 'x' });
        return (await fetch(path, { method: 'POST', body, redirect: 'manual' })).status;
      }, `/calls/${own}/drop`);
      expect(status).toBe(403);
      expect((await dashboard.store.ledger.read('acme.main', own))?.deliveries[0]?.state).toBe('parked');
    } finally {
      await browser.close();
    }
  },
  60_000,
);

describe('the configuration', () => {
  const right = {
    DASHBOARD_OIDC_ISSUER: 'https://login.example.com',
    DASHBOARD_OIDC_CLIENT_ID: 'wrapup',
    DASHBOARD_OIDC_CLIENT_SECRET: 's',
    DASHBOARD_URL: 'https://wrapup.example.com/',
    DASHBOARD_OIDC_GROUPS: 'wrapup admins=admin, acme-support=viewer@acme',
  };
  const read = (change: Record<string, string> = {}) =>
    readSingleSignOn((name) => ({ ...right, ...change })[name as 'DASHBOARD_URL']);

  it('says which group has which role', () => {
    expect(read()).toMatchObject({
      address: 'https://wrapup.example.com',
      groupsClaim: 'groups',
      groups: [
        { group: 'wrapup admins', role: 'admin' },
        { group: 'acme-support', role: 'viewer', client: 'acme' },
      ],
    });
    expect(readSingleSignOn(() => undefined)).toBeUndefined();
  });

  it.each([
    [{ DASHBOARD_URL: '' }, 'DASHBOARD_URL is not'],
    [{ DASHBOARD_URL: 'http://wrapup.example.com' }, 'DASHBOARD_URL must be an address'],
    [{ DASHBOARD_OIDC_ISSUER: 'login.example.com' }, 'DASHBOARD_OIDC_ISSUER must be'],
    [{ DASHBOARD_OIDC_GROUPS: 'admins' }, 'write group=role'],
    [{ DASHBOARD_OIDC_GROUPS: 'admins=owner' }, 'viewer, operator, admin'],
  ])('%j is refused with what is wrong', (change, said) => {
    expect(() => read(change)).toThrow(said);
  });
});
