import { type Served, serve } from '@wrapup/telemetry';
import { type Problems, sandboxApp } from './app.ts';
import type { Hung } from './control/exchange.ts';
import type { Fault, FaultSpec } from './control/faults.ts';
import type { RequestCounts, RequestEntry } from './control/request-log.ts';
import { type Seed, seed } from './control/seed.ts';
import { type RecordState, readState } from './control/state.ts';
import type { DemoStatus } from './demo/demo.ts';
import type { DemoSpec } from './demo/spec.ts';
import type { JournalEntry } from './journal.ts';
import { readOrg, type SalesforceRecord } from './salesforce/state.ts';
import { Sandbox } from './sandbox.ts';
import type { Partially, Settings } from './settings.ts';
import type { VoiceCall } from './synthflow/call.ts';

export interface StartOptions {
  /** Default 0: any free one. */
  port?: number;
  /** Address to bind; default 127.0.0.1. Undefined, given as such, binds all interfaces. */
  host?: string | undefined;
  /** What differs from the defaults. */
  settings?: Partially<Settings>;
  /** Begin with the properties that Wrapup needs, as if `provision` had run. Default false. */
  provisioned?: boolean;
  /** Only this token is taken; without it any that begins with `pat-`. */
  token?: string | undefined;
  /** Host and port under which people reach the page, where links to records of HubSpot are to lead. Default: HubSpot's. */
  publicHost?: string | undefined;
  /** Let clients on other machines look and steer too. Default false. */
  anyAddress?: boolean;
  /** Further names by which the sandbox may be asked for its page and for `/_sandbox`. */
  allowedHosts?: string[];
  log?: Problems;
}

export interface RunningSandbox {
  /** `http://127.0.0.1:<port>` */
  url: string;
  /** What a HubSpot client takes as its base path. */
  hubspotUrl: string;
  /** What a Salesforce client takes as its login URL; tokens name it as the instance. */
  salesforceUrl: string;
  /** What a Synthflow client takes as its host, without the version. */
  synthflowUrl: string;
  port: number;
  /** Records of an object of HubSpot that are not archived, as they are now. */
  records(object: string): RecordState[];
  /** What took effect in HubSpot. @param after so many entries are left out; default 0 */
  journal(after?: number): JournalEntry[];
  salesforce: {
    /** Records of an object that are not deleted, as they are now: `records('Task')`. */
    records(object: string): SalesforceRecord[];
    /** What took effect. */
    journal(): JournalEntry[];
    /** An access token, without asking for one. */
    token(): string;
    /** The user as whom the integration works. */
    userId: string;
  };
  control: {
    reset(options?: { provisioned?: boolean }): void;
    fault(...specs: FaultSpec[]): Fault[];
    /** Faults that can still happen. */
    faults(): Fault[];
    clearFaults(): void;
    settings(change: Partially<Settings>): Settings;
    /** @returns ids of the new records by object, of both vendors */
    seed(seed: Seed): Record<string, string[]>;
    /** Makes calls, and resolves when all are over and their webhooks answered. */
    demo(spec: DemoSpec): Promise<DemoStatus>;
    /** Calls of the voice platform. */
    calls(): VoiceCall[];
    /** Puts a call into the voice platform. */
    place(call: VoiceCall): void;
    requests(options?: { bodies?: boolean }): RequestCounts & { requests: RequestEntry[] };
  };
  /** Does not wait for clients that a fault lets hang. */
  close(): Promise<void>;
}

/** Starts a sandbox in this process, on a real socket. @throws when the port is taken or a setting is wrong */
export async function startSandbox(options: StartOptions = {}): Promise<RunningSandbox> {
  const sandbox = new Sandbox(options);
  const hung: Hung = new Set();
  const who = { anyAddress: options.anyAddress ?? false, hosts: options.allowedHosts ?? [] };
  const host = 'host' in options ? options.host : '127.0.0.1';
  const app = sandboxApp(sandbox, who, hung, options.log);
  const served = await serve(app, { name: 'sandbox', port: options.port ?? 0, host });
  const url = `http://${urlHost(host)}:${served.port}`;
  return {
    url,
    hubspotUrl: `${url}/hubspot`,
    salesforceUrl: `${url}/salesforce`,
    synthflowUrl: `${url}/synthflow`,
    port: served.port,
    records: (object) =>
      (Object.values(readState(sandbox.hubspot, object))[0] ?? []).filter((record) => !record.archived),
    journal: (after = 0) => structuredClone(sandbox.hubspot.journal.entries.slice(after)),
    salesforce: {
      records: (object) => (readOrg(sandbox.salesforce, object)[object] ?? []).filter(({ deleted }) => !deleted),
      journal: () => structuredClone(sandbox.salesforce.journal.entries),
      token: () => sandbox.salesforce.tokens.issue(sandbox.settings.salesforce.oauth),
      userId: sandbox.salesforce.userId,
    },
    control: {
      reset: (given) => sandbox.reset(given),
      fault: (...specs) => specs.map((spec) => sandbox.faults.add(spec)),
      faults: () => sandbox.faults.list(),
      clearFaults: () => sandbox.faults.clear(),
      settings: (change) => sandbox.change(change),
      seed: (given) => seed(sandbox, given),
      demo: async (spec) => {
        const demo = sandbox.startDemo(spec);
        await demo.done;
        return demo.status;
      },
      calls: () => structuredClone(sandbox.synthflow.calls),
      place: (call) => void sandbox.synthflow.place(call),
      requests: (given) => ({ ...sandbox.requests.counts, requests: sandbox.requests.entries(given) }),
    },
    close: () => {
      sandbox.demo?.stop();
      return close(served, hung);
    },
  };
}

function urlHost(host: string | undefined): string {
  if (host === undefined || host === '0.0.0.0' || host === '::') return '127.0.0.1';
  return host.includes(':') ? `[${host}]` : host;
}

async function close(served: Served, hung: Hung): Promise<void> {
  for (const response of hung) response.destroy();
  await served.close(1_000);
}
