/** The sandbox's demos, over its control interface. */
import { CliError, EXIT } from '../terminal/exit.ts';
import { nothingRunsHere, START_IT } from './not-running.ts';

/** The state of a demo, as the sandbox reports it. */
export interface DemoProgress {
  calls: number;
  placed: number;
  over: number;
  went: Record<string, number>;
  webhooks: { sent: number; lost: number; answers: Record<string, number> };
  inbound: Record<string, number>;
  running: boolean;
  ms: number;
}

/** Milliseconds for an answer. */
const TIMEOUT_MS = 10_000;

export function sandboxAddress(): string {
  return process.env.SANDBOX_URL || `http://127.0.0.1:${process.env.SANDBOX_PORT || 8090}`;
}

/** @returns null when there is no demo */
export async function askSandbox(
  sandbox: string,
  method: 'GET' | 'POST' | 'DELETE',
  body?: object,
): Promise<DemoProgress | null> {
  const url = `${sandbox.replace(/\/+$/, '')}/_sandbox/demo`;
  if (!URL.canParse(url)) throw new CliError(EXIT.usage, `--sandbox must be an address, not "${sandbox}"`);
  // Loaded here only: every command's start-up pays for what is imported above.
  const { default: axios } = await import('axios');
  const answer = await axios
    .request<DemoProgress | null | { error?: string }>({
      url,
      method,
      data: body,
      timeout: TIMEOUT_MS,
      signal: AbortSignal.timeout(TIMEOUT_MS),
      validateStatus: () => true,
      maxRedirects: 0,
      proxy: false,
    })
    .catch((error: { code?: string }): never => {
      throw new CliError(
        EXIT.unreachable,
        `the sandbox does not answer at ${sandbox} (${error.code ?? 'network error'})`,
        nothingRunsHere()
          ? START_IT
          : '`npm start` or `docker compose up` runs it; --sandbox or SANDBOX_URL names another place',
      );
    });
  if (answer.status < 300) return answer.data as DemoProgress | null;
  const said = (answer.data as { error?: string } | undefined)?.error ?? `it answered ${answer.status}`;
  throw new CliError(EXIT.failed, `the sandbox makes no calls: ${said}`);
}
