import { own } from '@wrapup/call';
import { type Place, suggest } from '@wrapup/findings';
import type { CompiledMapping } from '@wrapup/mapping';
import type { YamlDocument } from '../file/document.ts';
import type { WrapupFile } from '../file/schema.ts';
import type { Connection, Route } from '../model/config.ts';

/** The compiled mapping; undefined when it has errors, which the compiler reports. */
export type MappingReader = (path: string, kind: string, at: Place) => CompiledMapping | undefined;

export interface RouteParts {
  connections: Record<string, Connection>;
  mapping: MappingReader;
  when(written: unknown, path: PropertyKey[]): Route['when'] | undefined;
}

/** Turns the routes into what the worker uses, and checks the rules between them. A route with an error is left out. */
export function checkRoutes(file: WrapupFile, { report, origin }: YamlDocument, parts: RouteParts): Route[] {
  const routes: Route[] = [];
  const firstOfName = new Map<string, number>();
  /** By connection and source: the route after which no other one without `also` is ever reached. */
  const catchAll = new Map<string, string>();
  const sources = Object.keys(file.sources);
  const declared = Object.keys(file.declared);

  file.routes.forEach((route, index) => {
    if (!route) return;
    const path = ['routes', index];
    const add = (severity: 'error' | 'warn', code: string, key: string, message: string, hint: string) =>
      report[severity](code, `route ${route.name}: ${message}`, origin([...path, key]).value, hint);

    if (firstOfName.has(route.name)) {
      const line = origin(['routes', firstOfName.get(route.name) as number, 'name']).value.line;
      add(
        'error',
        'duplicate-name',
        'name',
        `the name is already used in line ${line}`,
        'give every route its own name',
      );
    }
    firstOfName.set(route.name, firstOfName.get(route.name) ?? index);

    if (!declared.includes(route.to)) {
      add('error', 'unknown-connection', 'to', `there is no connection "${route.to}"`, suggest(route.to, declared));
    }
    const from = route.from === undefined ? undefined : [route.from].flat();
    if (from === undefined && sources.length > 1) {
      add(
        'error',
        'no-from',
        'name',
        `it does not say whose calls it takes, and there are ${sources.length} sources`,
        `write from: ${sources[0]}, or a list: from: [${sources.join(', ')}]`,
      );
    }
    for (const name of from ?? []) {
      if (!sources.includes(name))
        add('error', 'unknown-source', 'from', `there is no source "${name}"`, suggest(name, sources));
    }
    const when = route.when === undefined ? always : parts.when(route.when, [...path, 'when']);
    const kind = own(file.declared, route.to);
    const mapping =
      kind === undefined ? undefined : parts.mapping(route.mapping, kind, origin([...path, 'mapping']).value);

    const lanes = (from ?? sources).map((source) => `${source} ${route.to}`);
    const before = lanes.map((lane) => catchAll.get(lane));
    const takesAll = before.every(Boolean) ? before[0] : undefined;
    if (takesAll !== undefined && !route.also) {
      add(
        'warn',
        'unreachable-route',
        'name',
        `route ${takesAll} takes every call for connection ${route.to} before it`,
        `put it before ${takesAll}, give ${takesAll} a when, or write also: true`,
      );
    }
    if (route.when === undefined && !route.also)
      for (const lane of lanes) catchAll.set(lane, catchAll.get(lane) ?? route.name);
    if (route.also && mapping?.fields.some((field) => field.record === 'call_log' && field.use === 'write')) {
      add(
        'error',
        'second-call-log',
        'also',
        'it delivers in addition to another route of its connection, so its mapping must not write a call_log',
        `take call_log out of ${route.mapping}: one call has one call log on one connection`,
      );
    }
    if (route.retries.base > route.retries.cap) {
      add('error', 'bad-value', 'retries', 'retries.base is longer than retries.cap', 'make base the shorter one');
    }
    if (mapping && when && parts.connections[route.to]) {
      const { name, to, also, retries } = route;
      routes.push({ name, from: from ?? sources, to, mapping, when, also, retries });
    }
  });

  if (file.routes.length === 0 && sources.length > 0) {
    const hint = 'write routes: [ { name: …, to: <connection>, mapping: <file> } ]';
    const message = 'there is no route: calls would be accepted and written nowhere';
    report.warn('no-route', message, origin(['routes']).key, hint);
  }
  // A route that leads nowhere was most likely meant for the connection that no route leads to.
  const lookUps = [file, ...Object.values(file.sources)].map(({ inbound }) => inbound?.look_up);
  const lost = file.routes.some((route) => !route || !declared.includes(route.to));
  for (const name of lost ? [] : declared) {
    if (
      file.routes.some((route) => route?.to === name) ||
      [...lookUps, file.alerts?.to, ...file.digests.map((digest) => digest?.to)].includes(name) ||
      file.routes.length === 0
    )
      continue;
    const hint = `add a route with to: ${name}, or remove it`;
    report.warn(
      'unused-connection',
      `connections.${name}: no route leads to it`,
      origin(['connections', name]).key,
      hint,
    );
  }
  return routes;
}

/** Condition of a route that has none. */
export const always: Route['when'] = () => true;
