import { html } from '@wrapup/telemetry';
import { type PageNotice, renderPage } from './layout.ts';

export interface LoginParts {
  /** Path that signing in leads to. */
  next: string;
  notice?: PageNotice | undefined;
  /** One can sign in at an identity provider, too. */
  hasProvider?: boolean;
}

/** The form to sign in: no script, and names that password managers know. */
export function renderLogin({ next, notice, hasProvider = false }: LoginParts): string {
  return renderPage({
    title: 'Sign in',
    menu: false,
    notice,
    body: html`<h1>Sign in</h1>
${hasProvider && html`<p><a class="provider" href="/login/provider?${String(new URLSearchParams({ next }))}">Sign in with your company’s account</a></p>`}
<form class="login" method="post" action="/login">
<input type="hidden" name="next" value="${next}">
<label>User <input name="user" autocomplete="username" autocapitalize="none" spellcheck="false" required autofocus></label>
<label>Password <input name="password" type="password" autocomplete="current-password" required></label>
<button class="primary">Sign in</button>
</form>`,
  });
}
