/** The state of a sandbox that all its parts share: replaced as a whole by a reset. */
import { Faults } from './control/faults.ts';
import { RequestLog } from './control/request-log.ts';
import { Account } from './hubspot/account.ts';
import { changeSettings, DEFAULT_SETTINGS, type Settings } from './settings.ts';

export interface SandboxOptions {
  /** What differs from the defaults; a reset comes back to it. */
  settings?: unknown;
  /** Begin with the properties that Wrapup needs, as if `provision` had run. Default false. */
  provisioned?: boolean;
  /** Only this token is taken; without it any that begins with `pat-`. */
  token?: string | undefined;
}

export class Sandbox {
  readonly token: string | undefined;
  readonly #initial: Settings;
  readonly #provisioned: boolean;
  settings: Settings;
  faults = new Faults();
  requests = new RequestLog();
  hubspot: Account;

  /** @throws SettingsError */
  constructor({ settings = {}, provisioned = false, token }: SandboxOptions = {}) {
    this.#initial = changeSettings(DEFAULT_SETTINGS, settings);
    this.#provisioned = provisioned;
    this.token = token;
    this.settings = this.#initial;
    this.hubspot = this.#newAccount(provisioned);
  }

  #newAccount(provisioned: boolean): Account {
    return new Account(() => this.settings.hubspot, provisioned);
  }

  /** @throws SettingsError */
  change(settings: unknown): Settings {
    this.settings = changeSettings(this.settings, settings);
    return this.settings;
  }

  /** Everything as it was at the start: no records, no faults, nothing logged, the settings it was started with. */
  reset({ provisioned = this.#provisioned }: { provisioned?: boolean } = {}): void {
    this.settings = this.#initial;
    this.faults = new Faults();
    this.requests = new RequestLog();
    this.hubspot = this.#newAccount(provisioned);
  }
}
