import { UNSET, type YamlDocument } from '../file/document.ts';
import type { WrapupFile } from '../file/schema.ts';
import type { SourceSurroundings } from './check-sources.ts';
import { weaknessOfSecret } from './weak-secret.ts';

/** `dashboard:` stands in the file of a client, and its password is one that is not guessed. */
export function checkDashboard(
  { dashboard }: WrapupFile,
  { report, origin, isSpared }: YamlDocument,
  { client, live }: Pick<SourceSurroundings, 'client' | 'live'>,
): void {
  if (!dashboard) return;
  if (client === undefined) {
    const message = 'dashboard: belongs into the file of a client, whose login it makes';
    const hint = 'the login that sees the whole installation is DASHBOARD_USER with DASHBOARD_PASSWORD';
    report.error('outside-client', message, origin(['dashboard']).key, hint);
    return;
  }
  const { password } = dashboard;
  const make = 'run: openssl rand -base64 24';
  if (password === undefined) {
    if (isSpared(['dashboard', 'password'])) return;
    report.error('no-password', 'dashboard: there is no password', origin(['dashboard']).key, make);
    return;
  }
  const weakness = password === UNSET ? undefined : weaknessOfSecret(password);
  if (!weakness) return;
  const { value: at, variables } = origin(['dashboard', 'password']);
  const hint = variables.length > 0 ? `${make} and put it into ${variables[0]}` : make;
  report[live ? 'error' : 'warn']('weak-password', `dashboard: the password ${weakness}`, at, hint);
}
