/**
 * What `kubectl kustomize` makes of a folder, for as much of Kustomize as deploy/kubernetes uses: Debian's kubectl has a
 * Kustomize from before components. What this does not know is an error, so that nothing goes unseen; manifests.test.ts
 * compares the two where a newer kubectl is there.
 *
 * https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/
 */
import { readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';

export interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: Labelled & { name: string; namespace?: string };
  spec?: {
    template?: { metadata: Labelled; spec: { containers: { image: string }[] } };
    volumeClaimTemplates?: { metadata: Labelled }[];
  };
  data?: Record<string, string>;
}
interface Labelled {
  labels?: Record<string, string>;
}
type Settings = Record<string, unknown>;

/** As Kubernetes reads YAML: 0440 is octal. */
const YAML_VERSION = { version: '1.1' } as const;

/** @throws Error for a setting, a kind of patch or an object that this does not know, with the file */
export function kustomize(folder: string): Manifest[] {
  return addFolder([], folder, 'Kustomization');
}

/** The order is Kustomize's: resources, generators, components, which change all of these, and what changes them itself. */
function addFolder(before: readonly Manifest[], folder: string, wanted: string): Manifest[] {
  const file = join(folder, 'kustomization.yaml');
  const read = parse(readFileSync(file, 'utf8')) as Settings;
  const listOf = (key: string, keys?: readonly string[]) => {
    const list = (read[key] ?? []) as Settings[];
    if (keys) for (const one of list) only(one, keys, `${file}: ${key}`);
    return list;
  };
  only(read, KNOWN, file);
  if (read.kind !== wanted) throw new Error(`${file}: ${read.kind} in place of ${wanted}`);

  let objects = [...before];
  for (const path of listOf('resources').map((one) => join(folder, String(one)))) {
    const isFolder = statSync(path).isDirectory();
    objects.push(...(isFolder ? addFolder([], path, 'Kustomization') : readManifests(path)));
  }
  for (const { name, files } of listOf('configMapGenerator', ['name', 'files'])) {
    const texts = (files as string[]).map((one) => [basename(one), readFileSync(join(folder, one), 'utf8')]);
    const data = Object.fromEntries(texts) as Record<string, string>;
    objects.push({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: String(name) }, data });
    const { disableNameSuffixHash, ...others } = (read.generatorOptions ?? {}) as Settings;
    only(others, [], `${file}: generatorOptions`);
    if (disableNameSuffixHash !== true) throw new Error(`${file}: a hash in the name of a ConfigMap is not known`);
  }
  for (const path of listOf('components')) objects = addFolder(objects, join(folder, String(path)), 'Component');
  const ids = objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`);
  const twice = ids.find((id, index) => ids.indexOf(id) !== index);
  if (twice) throw new Error(`${file}: ${twice} is there twice`);

  for (const { target, patch } of listOf('patches', ['target', 'patch']))
    applyPatch(objects, target as Settings, String(patch), file);
  if (read.namespace) for (const { metadata } of objects) metadata.namespace = String(read.namespace);
  for (const { pairs, includeTemplates } of listOf('labels', ['pairs', 'includeTemplates']))
    for (const { metadata, spec = {} } of objects) {
      const templates = [spec.template ?? [], spec.volumeClaimTemplates ?? []].flat();
      for (const one of [metadata, ...(includeTemplates ? templates.map((template) => template.metadata) : [])])
        one.labels = { ...one.labels, ...(pairs as Record<string, string>) };
    }
  for (const { name, newName, newTag } of listOf('images', ['name', 'newName', 'newTag']))
    for (const container of objects.flatMap(({ spec }) => spec?.template?.spec.containers ?? []))
      if (container.image === name) container.image = `${newName}:${newTag}`;
  return objects;
}

const KNOWN = [
  ...['apiVersion', 'kind', 'resources', 'configMapGenerator', 'generatorOptions', 'components'],
  ...['patches', 'namespace', 'labels', 'images'],
];

function only(settings: Settings, keys: readonly string[], where: string): void {
  const unknown = Object.keys(settings).filter((key) => !keys.includes(key));
  if (unknown.length > 0) throw new Error(`${where}: not known: ${unknown.join(', ')}`);
}

function readManifests(file: string): Manifest[] {
  return parseAllDocuments(readFileSync(file, 'utf8'), YAML_VERSION).map((document) => {
    const [error] = document.errors;
    if (error) throw new Error(`${file}: ${error.message}`);
    return document.toJS() as Manifest;
  });
}

/** A JSON patch (RFC 6902) of objects' keys. */
function applyPatch(objects: readonly Manifest[], target: Settings, patch: string, file: string): void {
  only(target, ['kind', 'name'], `${file}: target`);
  const targets = objects.filter(({ kind, metadata }) => kind === target.kind && metadata.name === target.name);
  if (targets.length === 0) throw new Error(`${file}: a patch of ${target.kind} ${target.name}, which is not there`);
  for (const { op, path, ...others } of parse(patch) as Settings[]) {
    only(others, [], `${file}: patch`);
    if (op !== 'remove') throw new Error(`${file}: a patch's ${op} is not known`);
    const keys = String(path).split('/').slice(1);
    const last = keys.pop() as string;
    for (const object of targets) {
      const parent = keys.reduce<Settings | undefined>((at, key) => at?.[key] as Settings, object as never);
      if (parent?.[last] === undefined) throw new Error(`${file}: ${path} of ${target.name} is not there`);
      delete parent[last];
    }
  }
}
