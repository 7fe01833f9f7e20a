/** One file of the configuration, wrapup.yaml or a client's, with the mappings that it names. */
import { existsSync } from 'node:fs';
import { isAbsolute, join, relative, resolve } from 'node:path';
import { asObject, fullName, own, variablePrefix } from '@wrapup/call';
import type { DestinationKind } from '@wrapup/destination';
import { type Finding, type Place, sortFindings } from '@wrapup/findings';
import { checkAddresses } from './checks/check-addresses.ts';
import { checkConnections, findLive } from './checks/check-connections.ts';
import { checkDashboard } from './checks/check-dashboard.ts';
import { type OwnKeys, readOwnKeys } from './checks/check-encryption-key.ts';
import { checkInbound } from './checks/check-inbound.ts';
import { checkAlerts, checkDigests } from './checks/check-notices.ts';
import { checkRoutes, type MappingReader } from './checks/check-routes.ts';
import { checkShape } from './checks/check-shape.ts';
import { checkSources, claimsOf, type SourceClaim } from './checks/check-sources.ts';
import { CLIENTS_FOLDER, compileCondition, compileMappingFile, isShared } from './checks/compile-mapping-file.ts';
import { CLIENT_LIMITS, readDocument } from './file/document.ts';
import { FileSet, hashOf } from './file/file-set.ts';
import { RECONCILE_DEFAULTS, type WrapupFile } from './file/schema.ts';
import { variableFile } from './file/variables.ts';
import type { Alerts, Config, Connection, DigestSettings, Inbound, Retention, Route, Source } from './model/config.ts';
import { type Reader, sparedBy } from './model/reader.ts';

/** What one file gives to the configuration, under full names. */
export interface ConfigFile extends Pick<Config, 'sources' | 'connections' | 'routes' | 'digests'> {
  /** Absolute path. */
  file: string;
  /** Undefined for wrapup.yaml. */
  client: string | undefined;
  /** An error among the findings keeps the file out of force, whole. */
  findings: Finding[];
  /** What its sources share with no other file. */
  claims: SourceClaim[];
  alerts?: Alerts;
  /** Of the login that is bound to the client. */
  password?: string;
  has_login?: true;
  /** What encrypts what is kept of the client. */
  own_keys?: OwnKeys;
  retention: Retention;
  /** `client_variables`; empty for a client's file. */
  variables: Readonly<Record<string, readonly string[]>>;
  /** `rightsOf` the client when it was read. */
  rights: string;
  /** Of the file and the mappings; mounted secrets are left out, as it must say nothing about them. */
  hash: string;
  /** All that was read, mounted secrets included. */
  files: FileSet;
  /** Text of the file and of each mapping, by path from the folder of wrapup.yaml. */
  texts: Record<string, string>;
}

/** What the files of one loading have in common. */
export interface LoadParts {
  /** Of wrapup.yaml, absolute. */
  folder: string;
  env: NodeJS.ProcessEnv;
  /** No variable is read, and none is missed. */
  without_variables?: boolean;
  /** Lines of mappings that mean something else than in the version before are warnings. */
  tells_changes?: boolean;
  kinds: Record<string, DestinationKind>;
  reader?: Reader | undefined;
  /** Clients that have a file, by what their variables begin with. */
  clients: ReadonlyMap<string, string>;
  /** `client_variables` of wrapup.yaml. */
  variables: Readonly<Record<string, readonly string[]>>;
  /** What files are read from: each once, however many clients name it. */
  files: FileSet;
  mappings: MappingCache;
}

type CompiledFile = ReturnType<typeof compileMappingFile> & { names: string[] };

/** Mappings that clients share are compiled once. */
export class MappingCache {
  readonly #compiled = new Map<string, CompiledFile>();

  /** @param client whose file has the route */
  get(
    path: string,
    kind: DestinationKind,
    at: Place,
    client: string | undefined,
    { folder, files, tells_changes = false }: LoadParts,
  ): CompiledFile {
    const whose = client === undefined ? 'wrapup.yaml' : isShared(path) ? 'clients' : `client ${client}`;
    const key = `${whose} ${kind.kind} ${path}`;
    let known = this.#compiled.get(key);
    if (!known) {
      const read = new FileSet(files);
      const { mapping, findings } = compileMappingFile({ path, folder, client, kind, files: read, at, tells_changes });
      known = {
        ...(mapping && { mapping }),
        findings: findings.map((finding) => placeFrom(finding, folder)),
        names: read.names,
      };
      // A mapping that is not there is reported where a route names it.
      if (read.names.some((name) => read.read(name) !== undefined)) this.#compiled.set(key, known);
    }
    return known;
  }
}

const DAY_MS = 86_400_000;

/**
 * Reads and checks one file. Names in it come out as full names, so that nothing of one client can name what belongs to
 * another.
 * @param text of the file
 * @param client whose file it is; undefined for wrapup.yaml
 */
export function loadConfigFile(file: string, text: string, client: string | undefined, parts: LoadParts): ConfigFile {
  const { folder, env, kinds, reader, without_variables = false } = parts;
  const files = new FileSet(parts.files);
  files.read(file);
  const shown = showPath(file);
  const document = readDocument(text, shown, env, {
    mayLackIn: (written) => sparedBy(reader, lookUpsOf(written)),
    without_variables,
    ...(client !== undefined && {
      limits: CLIENT_LIMITS,
      refused: (variable) => foreignVariable(variable, client, parts),
    }),
  });
  const { findings } = document.report;
  if (document.value === undefined) {
    const nothing = { sources: {}, connections: {}, routes: [], digests: [], claims: [], texts: {}, hash: '' };
    return {
      ...nothing,
      file,
      client,
      findings,
      files,
      retention: toDays(checkShape(document).retention),
      variables: {},
      rights: '',
    };
  }

  const wrapup = checkShape(document);
  const connections = checkConnections(wrapup, document, kinds);
  const hashes = new Map<string, string>();
  const reported = new Set<CompiledFile>();
  const mapping: MappingReader = (path, kindName, at) => {
    const kind = own(kinds, kindName);
    if (!kind) return undefined;
    const compiled = parts.mappings.get(path, kind, at, client, parts);
    for (const name of compiled.names) files.read(name);
    if (!reported.has(compiled)) findings.push(...compiled.findings);
    reported.add(compiled);
    hashes.set(`${kindName} ${path}`, compiled.mapping?.hash ?? '');
    return compiled.mapping;
  };
  const routes = checkRoutes(wrapup, document, {
    ...{ connections, mapping },
    when: (written, path) => compileCondition(written, document, path),
  });
  const inbound = checkInbound(wrapup, document, kinds, reader);
  const live = findLive(wrapup, kinds);
  const left = existsSync(join(parts.folder, CLIENTS_FOLDER)) ? 'none left' : 'never any';
  checkSources(wrapup, document, { client, clients: parts.clients.size > 0 ? 'some' : left, live, reader });
  if (client !== undefined && Object.keys(wrapup.client_variables).length > 0) {
    const message = 'client_variables: belongs into wrapup.yaml, which says what files of clients may name';
    document.report.error('outside-client', message, document.origin(['client_variables']).key, 'remove it');
  }
  checkAddresses(wrapup, document);
  checkAlerts(wrapup, document, kinds);
  const digests = checkDigests(wrapup, document, kinds, { client, clients: [...parts.clients.values()], mapping });
  checkDashboard(wrapup, document, { client, live });
  const own_keys = readOwnKeys(wrapup, document, client);
  sortFindings(findings, shown);

  const hash = hashOf([files.hash(folder), ...hashes.values()]);
  const texts = textsOf(files, folder);
  for (const name of document.variables) {
    const mounted = variableFile(name, env);
    if (mounted !== undefined) files.read(resolve(mounted));
  }
  return {
    ...fullNames(client, {
      // zod leaves absent keys absent, which its types do not say.
      sources: Object.entries(wrapup.sources).map(
        ([name, source]) => ({ name, ...source, reconcile: reconcileOf(source), inbound: inbound[name] }) as Source,
      ),
      connections: Object.values(connections),
      routes,
      digests,
      ...(wrapup.alerts && { alerts: wrapup.alerts }),
    }),
    ...{ file, client, findings, hash, files, texts },
    claims: claimsOf(wrapup, document, client, reader),
    ...(wrapup.dashboard?.password !== undefined && { password: wrapup.dashboard.password }),
    ...(wrapup.dashboard && { has_login: true }),
    ...(own_keys && { own_keys }),
    retention: toDays(wrapup.retention),
    variables: wrapup.client_variables,
    rights: client === undefined ? '' : rightsOf(client, parts),
  };
}

/** Missed webhooks are looked for wherever there is a key to ask with, unless the source says otherwise. */
function reconcileOf({ api_key, reconcile }: WrapupFile['sources'][string]): Source['reconcile'] {
  if (api_key === undefined || typeof reconcile === 'boolean') return undefined;
  return reconcile ?? RECONCILE_DEFAULTS;
}

/** Where a CRM is, as the sandbox, is no secret. */
const SHARED_VARIABLE = /_BASE_URL$/;

/**
 * Why a client's file may not name a variable: one file must not read the secrets of another, nor those of the installation.
 * `ACME_WEST_TOKEN` is that of client `acme-west` where there is one, else that of `acme`.
 */
export function foreignVariable(
  variable: string,
  client: string,
  { clients, variables }: Pick<LoadParts, 'clients' | 'variables'>,
): { message: string; hint: string } | undefined {
  if (ownerOf(variable, clients) === client || SHARED_VARIABLE.test(variable)) return undefined;
  if ([...(variables[client] ?? []), ...(variables['*'] ?? [])].includes(variable)) return undefined;
  return {
    message: `the variable ${variable} is not one of client ${client}`,
    hint: `name it ${variablePrefix(client)}_${variable}, or let wrapup.yaml give it: client_variables: { ${client}: [${variable}] }`,
  };
}

/** Whether a client's file may name a variable by its name alone, where no other client's begins the same way. */
export function isOwnVariable(variable: string, client: string): boolean {
  return variable.startsWith(`${variablePrefix(client)}_`) || SHARED_VARIABLE.test(variable);
}

function ownerOf(variable: string, clients: ReadonlyMap<string, string>): string | undefined {
  for (let end = variable.lastIndexOf('_'); end > 0; end = variable.lastIndexOf('_', end - 1)) {
    const owner = clients.get(variable.slice(0, end));
    if (owner !== undefined) return owner;
  }
  return undefined;
}

/** What decides which variables a client's file may name: where it changes, the file is read again. */
export function rightsOf(client: string, { clients, variables }: Pick<LoadParts, 'clients' | 'variables'>): string {
  const longer = [...clients.values()].filter((name) => name.startsWith(`${client}-`));
  return JSON.stringify([variables[client], variables['*'], longer]);
}

/** Errors of a file. */
export function errorsOf(findings: readonly Finding[]): Finding[] {
  return findings.filter(({ severity }) => severity === 'error');
}

interface LocalNames {
  sources: Source[];
  connections: Connection[];
  routes: Route[];
  digests: DigestSettings[];
  alerts?: Alerts;
}

function fullNames(
  client: string | undefined,
  { sources, connections, routes, digests, alerts }: LocalNames,
): Pick<ConfigFile, 'sources' | 'connections' | 'routes' | 'digests' | 'alerts'> {
  const full = (name: string) => fullName(client, name);
  const inboundOf = (inbound: Inbound): Inbound => ({ ...inbound, look_up: full(inbound.look_up) });
  return {
    sources: byName(
      sources.map(({ inbound, ...source }) => ({
        ...source,
        name: full(source.name),
        ...(inbound && { inbound: inboundOf(inbound) }),
      })),
    ),
    connections: byName(connections.map((connection) => ({ ...connection, name: full(connection.name) }))),
    routes: routes.map((route) => ({
      ...route,
      name: full(route.name),
      from: route.from.map(full),
      to: full(route.to),
    })),
    digests: digests.map((digest) => ({ ...digest, name: full(digest.name), to: full(digest.to) })),
    ...(alerts && { alerts: { ...alerts, to: full(alerts.to) } }),
  };
}

function byName<Named extends { name: string }>(list: Named[]): Record<string, Named> {
  return Object.fromEntries(list.map((one) => [one.name, one]));
}

function toDays({ ledger, delivered, stopped }: { ledger: number; delivered: number; stopped: number }): Retention {
  return { ledger_days: ledger / DAY_MS, delivered_days: delivered / DAY_MS, stopped_days: stopped / DAY_MS };
}

function textsOf(files: FileSet, folder: string): Record<string, string> {
  return Object.fromEntries(
    files.names.flatMap((name) => {
      const text = files.read(name);
      return text === undefined ? [] : [[relative(folder, name), text]];
    }),
  );
}

/** The connections that `inbound:` names, here and there, which decide what ingress may lack. */
function lookUpsOf(written: unknown): string[] {
  const { sources, inbound } = asObject(written);
  const sections = [inbound, ...Object.values(asObject(sources)).map((source) => asObject(source).inbound)];
  return sections.map((section) => asObject(section).look_up).filter((name) => typeof name === 'string');
}

/** A path as findings name it: relative to the working directory where it is inside it. */
export function showPath(file: string): string {
  const near = relative(process.cwd(), file);
  return near.startsWith('..') || isAbsolute(near) ? file : near;
}

/** Mappings name files from the config folder; a person runs the command from somewhere else. */
function placeFrom(finding: Finding, folder: string): Finding {
  if (!finding.at || isAbsolute(finding.at.file)) return finding;
  const file = join(folder, finding.at.file);
  return existsSync(file) ? { ...finding, at: { ...finding.at, file: showPath(file) } } : finding;
}
