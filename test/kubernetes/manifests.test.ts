/** deploy/kubernetes renders, fits the API's schemas, and keeps the rules of docs/guide/kubernetes.md. */
import { spawnSync } from 'node:child_process';
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parseAllDocuments, parse as parseYaml } from 'yaml';
import { wrapup } from '../../apps/cli/test/support/run.ts';
import { kustomize, type Manifest } from './kustomize.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const FOLDER = join(ROOT, 'deploy/kubernetes');
const OVERLAYS = ['plain', 'keda'];
/** Its Kustomize knows components since 1.21. */
const version = spawnSync('kubectl', ['version', '--client', '-o', 'json'], { encoding: 'utf8' });
const hasKubectl = Number(/"minor": "(\d+)/.exec(version.stdout ?? '')?.[1] ?? 0) >= 21;

interface Container {
  name: string;
  image: string;
  command?: string[];
  env?: { name: string; value?: string; valueFrom?: unknown }[];
  ports: { name: string; containerPort: number }[];
  startupProbe?: Probe;
  livenessProbe?: Probe;
  readinessProbe?: Probe;
  lifecycle?: { preStop: { exec: { command: string[] } } };
  securityContext: {
    allowPrivilegeEscalation: boolean;
    readOnlyRootFilesystem: boolean;
    capabilities: { drop: string[] };
  };
  resources: { limits: { memory: string }; requests: { memory: string } };
}
interface Probe {
  httpGet?: { path: string; port: string };
}
interface PodSpec {
  terminationGracePeriodSeconds: number;
  automountServiceAccountToken: boolean;
  securityContext: { runAsNonRoot: boolean; runAsUser: number };
  topologySpreadConstraints?: { topologyKey: string }[];
  containers: Container[];
  volumes: { name: string; projected?: { sources: { secret?: { items: { key: string }[] } }[] } }[];
}
interface Workload extends Manifest {
  spec: {
    replicas?: number;
    selector?: { matchLabels?: Record<string, string> } & Record<string, unknown>;
    podSelector?: { matchLabels?: Record<string, string> };
    template?: { metadata: { labels: Record<string, string> }; spec: PodSpec };
    triggers?: { metadata: { query: string } }[];
  };
}

const render = (overlay: string) => kustomize(join(FOLDER, 'overlays', overlay)) as Workload[];
const podsOf = (overlay: string) =>
  render(overlay).flatMap(({ metadata, spec }) => (spec?.template ? [{ name: metadata.name, ...spec.template }] : []));

/** The module that knows a kind of object. */
function moduleOf({ apiVersion, kind }: Manifest): string {
  const [group = '', version] = apiVersion.split('/');
  const packages: Record<string, string> = {
    'keda.sh': '@kubernetes-models/keda/keda.sh',
    'monitoring.coreos.com': '@kubernetes-models/prometheus-operator/monitoring.coreos.com',
  };
  const base = packages[group] ?? (version ? `kubernetes-models/${group}` : 'kubernetes-models');
  return `${base}/${version ?? group}/${kind}`;
}

describe('each overlay', () => {
  const scratch = join(ROOT, 'node_modules/.cache/wrapup');
  mkdirSync(scratch, { recursive: true });
  const folder = mkdtempSync(join(scratch, 'kubernetes-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it.skipIf(!hasKubectl).each(OVERLAYS)('%s is rendered as kubectl does', (overlay) => {
    const { status, stdout, stderr } = spawnSync('kubectl', ['kustomize', join(FOLDER, 'overlays', overlay)], {
      encoding: 'utf8',
    });
    expect([status, stderr]).toEqual([0, '']);
    const byName = (manifests: Manifest[]) =>
      Object.fromEntries(manifests.map((one) => [`${one.kind} ${one.metadata.name}`, one]));
    const theirs = parseAllDocuments(stdout, { version: '1.1' }).map((document) => document.toJS() as Manifest);
    expect(theirs.length).toBe(render(overlay).length);
    expect(byName(render(overlay))).toEqual(byName(theirs));
  });

  it.each(OVERLAYS)('%s fits the schemas of the API', async (overlay) => {
    const manifests = render(overlay);
    expect(manifests.length).toBeGreaterThan(12);
    for (const manifest of manifests) {
      const { [manifest.kind]: Model } = (await import(moduleOf(manifest))) as Record<
        string,
        new (
          data: Manifest,
        ) => { validate(): void }
      >;
      if (!Model) throw new Error(`no schema of ${manifest.kind}`);
      expect(() => new Model(manifest).validate(), `${manifest.kind} ${manifest.metadata.name}`).not.toThrow();
    }
  });

  it('has no key that the API does not know, which it would ignore', () => {
    // Schemas let unknown keys pass; the types made of them do not.
    const lines = OVERLAYS.flatMap(render).map((manifest, index) => {
      const name = `I${manifest.kind}`;
      return `import type { ${name} as T${index} } from '${moduleOf(manifest)}';\nexport const object${index}: T${index} = ${JSON.stringify(manifest, null, 2)};\n`;
    });
    const check = (text: string) => {
      writeFileSync(join(folder, 'objects.ts'), text);
      const options = ['--noEmit', '--strict', '--skipLibCheck', '--module', 'nodenext', '--ignoreConfig'];
      const { stdout } = spawnSync('npx', ['tsc', ...options, 'objects.ts'], { cwd: folder, encoding: 'utf8' });
      return stdout.trim();
    };
    const text = lines.join('\n');
    expect(check(text)).toBe('');
    expect(check(text.replaceAll('"readOnlyRootFilesystem"', '"readonlyRootFilesystem"'))).toContain(
      'readonlyRootFilesystem',
    );
  });

  it.each(OVERLAYS)('%s gives no process more than it needs', (overlay) => {
    for (const { name, spec } of podsOf(overlay)) {
      expect(spec.automountServiceAccountToken, name).toBe(false);
      expect(spec.securityContext, name).toMatchObject({
        runAsNonRoot: true,
        seccompProfile: { type: 'RuntimeDefault' },
      });
      expect(spec.securityContext.runAsUser).toBeGreaterThan(0);
      for (const container of spec.containers) {
        expect(container.securityContext, name).toEqual({
          ...{ allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
        });
        expect(container.resources.limits.memory).toBe(container.resources.requests.memory);
        for (const probe of [container.startupProbe, container.livenessProbe, container.readinessProbe])
          expect(probe, name).toBeDefined();
        // Secrets are files: a variable would show in the description of the pod and in crash dumps.
        for (const { name: variable, valueFrom } of container.env ?? []) {
          expect(valueFrom, variable).toBeUndefined();
          expect(variable).not.toMatch(/TOKEN|SECRET$|PASSWORD|_KEY$/);
        }
      }
    }
  });

  it.each(OVERLAYS)('%s asks the probes that the processes answer', (overlay) => {
    for (const { name, spec } of podsOf(overlay)) {
      for (const { ports, readinessProbe, livenessProbe } of spec.containers) {
        if (!readinessProbe?.httpGet) continue;
        const portOf = (probe: Probe | undefined) =>
          ports.find(({ name: port }) => port === probe?.httpGet?.port)?.containerPort;
        const expected = { 'wrapup-ingress': 8083, 'wrapup-worker': 8082, 'wrapup-dashboard': 8081 }[name];
        expect([portOf(readinessProbe), portOf(livenessProbe)], name).toEqual([expected, expected]);
        expect(livenessProbe?.httpGet?.path).toBe('/healthz');
      }
    }
  });

  it.each(OVERLAYS)('%s waits longer for a process to stop than it takes', (overlay) => {
    for (const { name, spec } of podsOf(overlay)) {
      const app = name.replace('wrapup-', '');
      if (app === 'redis') continue;
      const main = readFileSync(join(ROOT, `apps/${app}/src/main.ts`), 'utf8');
      const drain = Number((/DRAIN_MS = ([\d_]+)/.exec(main)?.[1] ?? '0').replaceAll('_', ''));
      const more = Number((/deadline: (?:DRAIN_MS \+ )?([\d_]+)/.exec(main)?.[1] ?? '').replaceAll('_', ''));
      const before = Number(spec.containers[0]?.lifecycle?.preStop.exec.command[1] ?? 0);
      expect(drain + more).toBeGreaterThanOrEqual(10_000);
      expect(spec.terminationGracePeriodSeconds, name).toBeGreaterThan(before + (drain + more) / 1000 + 5);
    }
  });

  it.each(OVERLAYS)(
    '%s selects pods that there are, and spreads and keeps those of which there are several',
    (overlay) => {
      const manifests = render(overlay);
      const labels = podsOf(overlay).map(({ metadata }) => metadata.labels);
      for (const { kind, metadata, spec } of manifests) {
        const selector = spec?.podSelector?.matchLabels ?? spec?.selector?.matchLabels;
        const plain = kind === 'Service' ? (spec.selector as Record<string, string>) : selector;
        if (!plain) continue;
        const selected = labels.filter((own) => Object.entries(plain).every(([key, value]) => own[key] === value));
        expect(selected.length, `${kind} ${metadata.name}`).toBeGreaterThan(0);
      }
      const kept = manifests.filter(({ kind }) => kind === 'PodDisruptionBudget').map(({ metadata }) => metadata.name);
      expect(kept.sort()).toEqual(['wrapup-ingress', 'wrapup-worker']);
      for (const { name, spec } of podsOf(overlay))
        if (kept.includes(name))
          expect(spec.topologySpreadConstraints?.map(({ topologyKey }) => topologyKey)).toEqual([
            ...['topology.kubernetes.io/zone', 'kubernetes.io/hostname'],
          ]);
    },
  );

  it('runs what compose runs, with the secrets that compose hands it, and no others', () => {
    const { services } = parseYaml(readFileSync(join(ROOT, 'docker-compose.yml'), 'utf8'), { merge: true }) as {
      services: Record<string, { command: string[]; environment: Record<string, string | null> }>;
    };
    for (const { name, spec } of podsOf('keda')) {
      const items = spec.volumes.flatMap(
        ({ projected }) => projected?.sources.flatMap(({ secret }) => secret?.items ?? []) ?? [],
      );
      const { command, environment: own = {} } = services[name.replace('wrapup-', '')] ?? {};
      expect(spec.containers[0]?.command).toEqual(command);
      const isSecret = (variable: string) =>
        /_KEY$|_SECRET$|_TOKEN$|_PASSWORD$|^REDIS_URL$|_CLIENT_ID$/.test(variable) && own[variable] === null;
      expect(items.map(({ key }) => key).sort(), name).toEqual(Object.keys(own).filter(isSecret).sort());
    }
  });

  it('brings a Redis or takes one, and leaves the number of workers to KEDA where that scales them', () => {
    const names = (overlay: string) => render(overlay).map(({ kind, metadata }) => `${kind} ${metadata.name}`);
    expect(names('plain')).toContain('StatefulSet wrapup-redis');
    expect(names('keda')).not.toContain('StatefulSet wrapup-redis');
    const replicas = (overlay: string) =>
      render(overlay).find(({ kind, metadata }) => kind === 'Deployment' && metadata.name === 'wrapup-worker')?.spec
        .replicas;
    expect([replicas('plain'), replicas('keda')]).toEqual([2, undefined]);
    const queries = render('keda').flatMap(({ spec }) => spec?.triggers?.map(({ metadata }) => metadata.query) ?? []);
    expect(queries).toHaveLength(2);
    // A paused connection gathers calls that no worker can do anything about.
    for (const query of queries)
      expect(query).toContain('unless on (connection) max by (connection) (wrapup_connection_paused)');
  });
});

it('the configuration of each overlay is right as it stands', async () => {
  for (const overlay of OVERLAYS) {
    const file = join(FOLDER, 'overlays', overlay, 'config/wrapup.yaml');
    const env = {
      ...{ WRAPUP_CONFIG: file, SYNTHFLOW_WEBHOOK_SECRET: 'a-webhook-secret-of-this-test' },
      ...{ WEBHOOK_PATH_TOKEN: 'a-path-token-of-this-test-that-is-long-enough', HUBSPOT_ACCESS_TOKEN: 'pat-na1-test' },
    };
    const { code, stdout, stderr } = await wrapup(['check'], env);
    expect(code, stdout + stderr).toBe(0);
  }
  expect(globSync('overlays/*/kustomization.yaml', { cwd: FOLDER })).toHaveLength(OVERLAYS.length);
});
