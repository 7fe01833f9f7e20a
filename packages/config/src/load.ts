import { existsSync } from 'node:fs';
import { dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { asObject, own } from '@wrapup/call';
import type { DestinationKind, Log } from '@wrapup/destination';
import { type Finding, formatFinding, type Place } from '@wrapup/findings';
import type { CompiledMapping } from '@wrapup/mapping';
import { checkAddresses } from './checks/check-addresses.ts';
import { checkAlerts } from './checks/check-alerts.ts';
import { checkConnections, findLive } from './checks/check-connections.ts';
import { checkInbound } from './checks/check-inbound.ts';
import { checkRoutes } from './checks/check-routes.ts';
import { checkShape } from './checks/check-shape.ts';
import { checkSources } from './checks/check-sources.ts';
import { compileCondition, compileMappingFile } from './checks/compile-mapping-file.ts';
import { readDocument } from './file/document.ts';
import { FileSet, hashOf } from './file/file-set.ts';
import { variableFile } from './file/variables.ts';
import { KINDS } from './kinds.ts';
import type { Config, Source } from './model/config.ts';
import { type Reader, sparedBy } from './model/reader.ts';

export const DEFAULT_FILE = 'config/wrapup.yaml';

export interface LoadOptions {
  /** Path of wrapup.yaml; default `WRAPUP_CONFIG`, else `config/wrapup.yaml`, relative to the working directory. */
  file?: string;
  /** Default `process.env`. */
  env?: NodeJS.ProcessEnv;
  /** Default: all kinds of this version. */
  kinds?: Record<string, DestinationKind>;
  /** The process that reads, which may lack variables that it never uses. Default: nothing may be missing. */
  reader?: Reader;
}

export interface Loaded {
  /** Absent when there is an error among the findings: a configuration is taken whole or not at all. */
  config?: Config;
  /** In the order of the files. Places name files relative to the working directory where they are inside it. */
  findings: Finding[];
  /** What was read, or looked for. */
  files: FileSet;
}

const FILES = new WeakMap<Config, { names: string[]; hash: string }>();

/** The files that a configuration was made of, mounted secrets included, and the hash of their contents. */
export function filesOf(config: Config): { names: string[]; hash: string } {
  return FILES.get(config) ?? { names: [config.file], hash: '' };
}

/** Loads and checks wrapup.yaml and every mapping it names. Rejects for no mistake of the user: those are findings. */
export async function loadConfig(options: LoadOptions = {}): Promise<Loaded> {
  const env = options.env ?? process.env;
  const kinds = options.kinds ?? KINDS;
  const file = resolve(options.file ?? (env.WRAPUP_CONFIG || DEFAULT_FILE));
  const folder = dirname(file);
  const files = new FileSet();
  const shown = showPath(file);
  const text = files.read(file);
  if (text === undefined) {
    return {
      files,
      findings: [
        {
          severity: 'error',
          code: 'no-config',
          message: `cannot read the configuration ${shown}`,
          hint: `give its path in WRAPUP_CONFIG or with --config; the default is ${DEFAULT_FILE}`,
          at: { file: shown, line: 1, column: 1 },
        },
      ],
    };
  }

  const lookUps = options.reader === undefined ? [] : lookUpsOf(text, shown, env);
  const document = readDocument(text, shown, env, sparedBy(options.reader, lookUps));
  const { findings } = document.report;
  if (document.value === undefined) return { findings, files };
  const wrapup = checkShape(document);
  const connections = checkConnections(wrapup, document, kinds);
  const compiled = new Map<string, CompiledMapping | undefined>();
  const routes = checkRoutes(wrapup, document, {
    connections,
    mapping(path, kindName, at) {
      const kind = own(kinds, kindName);
      if (!kind) return undefined;
      const key = `${kindName} ${path}`;
      if (!compiled.has(key)) {
        const result = compileMappingFile({ path, folder, kind, files, at });
        findings.push(...result.findings.map((finding) => placeFrom(finding, folder)));
        compiled.set(key, result.mapping);
      }
      return compiled.get(key);
    },
    when: (written, path) => compileCondition(written, document, path),
  });
  const inbound = checkInbound(wrapup, document, kinds, options.reader);
  checkSources(wrapup, document, { live: findLive(wrapup, kinds), reader: options.reader });
  checkAddresses(wrapup, document);
  checkAlerts(wrapup, document, kinds);
  sortFindings(findings, shown);

  // The hash that is shown leaves the mounted secrets out: it must say nothing about them. Presets are in the mappings'.
  const hash = hashOf([files.hash(folder), ...[...compiled.values()].map((mapping) => mapping?.hash ?? '')]);
  for (const name of document.variables) {
    const mounted = variableFile(name, env);
    if (mounted !== undefined) files.read(resolve(mounted));
  }
  if (findings.some((finding) => finding.severity === 'error')) return { findings, files };

  const { ledger, delivered, stopped } = wrapup.retention;
  const config: Config = {
    file,
    hash,
    sources: Object.fromEntries(
      // zod leaves absent keys absent, which its types do not say.
      Object.entries(wrapup.sources).map(([name, source]) => [
        name,
        { name, ...source, inbound: inbound[name] } as Source,
      ]),
    ),
    connections,
    routes,
    ...(wrapup.alerts ? { alerts: wrapup.alerts } : {}),
    retention: { ledger_days: ledger / DAY_MS, delivered_days: delivered / DAY_MS, stopped_days: stopped / DAY_MS },
  };
  FILES.set(config, { names: files.names, hash: files.hash(folder) });
  return { config, findings, files };
}

const DAY_MS = 86_400_000;

/** The connections that `inbound:` names, here and there, which decide what ingress may lack. */
function lookUpsOf(text: string, shown: string, env: NodeJS.ProcessEnv): string[] {
  const { value } = readDocument(text, shown, env);
  const { sources, inbound } = asObject(value);
  const sections = [inbound, ...Object.values(asObject(sources)).map((source) => asObject(source).inbound)];
  return sections.map((section) => asObject(section).look_up).filter((name) => typeof name === 'string');
}

/** For processes: loads the configuration, logs what was found, and ends the process with code 1 when it has errors. */
export async function loadConfigOrExit(log: Log, options: LoadOptions = {}): Promise<Config> {
  const { config, findings } = await loadConfig(options);
  logFindings(log, findings);
  if (config) {
    log.info({ file: showPath(config.file), hash: config.hash }, 'configuration loaded');
    return config;
  }
  log.error({ findings: findings.length }, 'the configuration has errors; nothing was started');
  process.exit(1);
}

/** One log line a finding. */
export function logFindings(log: Log, findings: Finding[]): void {
  for (const finding of findings) {
    const { hint, ...rest } = finding;
    log[finding.severity === 'error' ? 'error' : 'warn'](
      { code: finding.code, ...(hint ? { hint } : {}) },
      formatFinding(rest),
    );
  }
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

function sortFindings(findings: Finding[], first: string): void {
  const rank = (at: Place | undefined) => (at === undefined || at.file === first ? '' : at.file);
  findings.sort(
    (a, b) =>
      rank(a.at).localeCompare(rank(b.at)) ||
      (a.at?.line ?? 0) - (b.at?.line ?? 0) ||
      (a.at?.column ?? 0) - (b.at?.column ?? 0),
  );
}
