/** The state of a sandbox that all its parts share: replaced as a whole by a reset. */
import { Faults } from './control/faults.ts';
import { RequestLog } from './control/request-log.ts';
import { Demo } from './demo/demo.ts';
import { checkSpec, DemoError } from './demo/spec.ts';
import { Account } from './hubspot/account.ts';
import { Org } from './salesforce/org.ts';
import { changeSettings, DEFAULT_SETTINGS, type Settings } from './settings.ts';
import { Workspace } from './synthflow/workspace.ts';

export interface SandboxOptions {
  /** What differs from the defaults; a reset comes back to it. */
  settings?: unknown;
  /** Begin with the properties that Wrapup needs, as if `provision` had run. Default false. */
  provisioned?: boolean;
  /** Only this token is taken; without it any that begins with `pat-`. */
  token?: string | undefined;
  /** Host and port under which people reach the page, where links to records of HubSpot are to lead. Default: HubSpot's. */
  publicHost?: string | undefined;
}

export class Sandbox {
  readonly token: string | undefined;
  readonly #initial: Settings;
  readonly #provisioned: boolean;
  readonly #publicHost: string | undefined;
  settings: Settings;
  faults = new Faults();
  requests = new RequestLog();
  hubspot: Account;
  salesforce: Org;
  synthflow: Workspace;
  demo: Demo | undefined;

  /** @throws SettingsError */
  constructor({ settings = {}, provisioned = false, token, publicHost }: SandboxOptions = {}) {
    this.#initial = changeSettings(DEFAULT_SETTINGS, settings);
    this.#provisioned = provisioned;
    this.token = token;
    this.#publicHost = publicHost;
    this.settings = this.#initial;
    this.hubspot = this.#newAccount(provisioned);
    this.salesforce = this.#newOrg(provisioned);
    this.synthflow = this.#newWorkspace();
  }

  #newAccount(provisioned: boolean): Account {
    return new Account(() => this.settings.hubspot, provisioned, this.#publicHost);
  }

  #newOrg(provisioned: boolean): Org {
    return new Org(() => this.settings.salesforce, provisioned);
  }

  #newWorkspace(): Workspace {
    return new Workspace(() => this.settings.synthflow);
  }

  /** Begins to make calls. One demo runs at a time. @throws DemoError */
  startDemo(spec: unknown): Demo {
    const checked = checkSpec(spec);
    if (this.demo?.status.running) throw new DemoError('a demo runs already: wait for its end or stop it');
    this.demo = new Demo(checked, this.synthflow, () => this.settings.synthflow.signature_header);
    return this.demo;
  }

  /** @throws SettingsError */
  change(settings: unknown): Settings {
    this.settings = changeSettings(this.settings, settings);
    return this.settings;
  }

  /** Everything as it was at the start: no records, no faults, nothing logged, the settings it was started with. */
  reset({ provisioned = this.#provisioned }: { provisioned?: boolean } = {}): void {
    this.demo?.stop();
    this.demo = undefined;
    this.settings = this.#initial;
    this.faults = new Faults();
    this.requests = new RequestLog();
    this.hubspot = this.#newAccount(provisioned);
    this.salesforce = this.#newOrg(provisioned);
    this.synthflow = this.#newWorkspace();
  }
}
