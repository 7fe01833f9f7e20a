import { readVariable, VariableError } from './file/variables.ts';

/**
 * `DASHBOARD_URL`: where browsers reach the dashboard, without a slash at its end. What is sent to people links to it.
 * @throws VariableError where it is no address
 */
export function readDashboardAddress(env: NodeJS.ProcessEnv = process.env): string | undefined {
  const written = readVariable('DASHBOARD_URL', env)?.trim();
  if (!written) return undefined;
  const url = URL.parse(written);
  if (!url || !/^https?:$/.test(url.protocol) || url.search || url.hash) {
    const message = 'DASHBOARD_URL is no address of a dashboard';
    throw new VariableError('DASHBOARD_URL', message, 'write one such as https://wrapup.example.com');
  }
  return url.href.replace(/\/+$/, '');
}
