/** What is sent to people: alerts, and digests. */
import { own } from '@wrapup/call';
import { type DestinationKind, DIGEST_VARIABLES } from '@wrapup/destination';
import { type Place, suggest } from '@wrapup/findings';
import { type CompiledMapping, compileMapping } from '@wrapup/mapping';
import type { YamlDocument } from '../file/document.ts';
import type { WrapupFile } from '../file/schema.ts';
import type { DigestSettings } from '../model/config.ts';
import type { MappingReader } from './check-routes.ts';

/** `alerts.to` must name a connection, and one of a kind that takes notices. */
export function checkAlerts(
  { alerts, declared }: WrapupFile,
  document: YamlDocument,
  kinds: Record<string, DestinationKind>,
): void {
  if (alerts) checkTarget('alerts', alerts.to, declared, document.origin(['alerts', 'to']).value, document, kinds);
}

/** Whether the connection is one of the file and takes notices; reports where it is not. */
function checkTarget(
  what: 'alerts' | 'digests',
  to: string,
  declared: WrapupFile['declared'],
  at: Place,
  { report }: YamlDocument,
  kinds: Record<string, DestinationKind>,
): boolean {
  if (!Object.hasOwn(declared, to)) {
    const hint = suggest(to, Object.keys(declared));
    report.error('unknown-connection', `${what}: there is no connection "${to}"`, at, hint);
    return false;
  }
  const kind = declared[to];
  // What is wrong with its kind is reported where the connection stands.
  if (kind === undefined || !Object.hasOwn(kinds, kind)) return false;
  if (kinds[kind]?.notifies) return true;
  const able = Object.values(kinds).flatMap((one) => (one.notifies ? [one.kind] : []));
  const message = `${what}: connection "${to}" is of kind ${kind}, which takes no ${what}`;
  report.error('no-notices', message, at, `name one of kind ${able.join(', ')}`);
  return false;
}

interface DigestCheck {
  /** Whose file it is; undefined for wrapup.yaml. */
  client: string | undefined;
  /** All clients that have a file. */
  clients: readonly string[];
  mapping: MappingReader;
}

/** Turns the digests into what the worker uses. One with an error is left out. */
export function checkDigests(
  file: WrapupFile,
  document: YamlDocument,
  kinds: Record<string, DestinationKind>,
  { client, clients, mapping }: DigestCheck,
): DigestSettings[] {
  const { report, origin } = document;
  const lines = new Map<string, number>();
  return file.digests.flatMap((digest, index): DigestSettings[] => {
    if (!digest) return [];
    const at = (key: string) => origin(['digests', index, key]).value;
    const { to, mapping: path, client: about, ...rest } = digest;
    let isGood = checkTarget('digests', to, file.declared, at('to'), document, kinds);
    const refuse = (code: string, key: string, message: string, hint: string) => {
      report.error(code, `digest ${digest.name}: ${message}`, at(key), hint);
      isGood = false;
    };
    const line = lines.get(digest.name);
    if (line !== undefined)
      refuse('duplicate-name', 'name', `the name is already used in line ${line}`, 'give every digest its own name');
    lines.set(digest.name, line ?? at('name').line);
    if (about !== undefined && client !== undefined && about !== client)
      refuse('outside-client', 'client', `the file of client ${client} has digests of its own calls only`, 'remove it');
    else if (about !== undefined && client === undefined && !clients.includes(about))
      refuse('unknown-client', 'client', `there is no client "${about}"`, suggest(about, clients));
    const kind = own(kinds, own(file.declared, to) ?? '');
    if (!kind?.notifies) return [];
    const compiled = path === undefined ? usualMapping(kind) : mapping(path, kind.kind, at('mapping'));
    if (!compiled) return [];
    for (const read of compiled.reads) checkRead(read, path);
    const whose = client ?? about;
    return isGood ? [{ ...rest, to, mapping: compiled, ...(whose !== undefined && { client: whose }) }] : [];
  });

  function checkRead({ path, segments: [root, name], at }: CompiledMapping['reads'][number], from?: string): void {
    if (root === 'vars' && Object.hasOwn(DIGEST_VARIABLES, String(name))) return;
    const known = Object.keys(DIGEST_VARIABLES);
    const message = `${path}: a digest has nothing of that name, and ${from} is the mapping of one`;
    const hint = root === 'vars' ? suggest(String(name), known) : `it has vars.${known.join(', vars.')}`;
    report.error('unknown-path', message, at, hint);
  }
}

const USUAL = new WeakMap<DestinationKind, CompiledMapping>();

/** What is sent where a digest names no mapping. */
function usualMapping(kind: DestinationKind): CompiledMapping | undefined {
  const preset = `${kind.kind}/digest`;
  const source = { name: preset, text: `extends: ${preset}\n`, dialect: kind.dialect, readFile: () => undefined };
  const mapping = USUAL.get(kind) ?? compileMapping(source).mapping;
  if (mapping) USUAL.set(kind, mapping);
  return mapping;
}
