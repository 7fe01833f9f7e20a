/** Moves a source of wrapup.yaml, and what only its calls use, into the file of a client. Comments stay with what they are about. */
import { asObject } from '@wrapup/call';
import { Document, isMap, isSeq, type Pair, parseDocument, type YAMLMap } from 'yaml';
import { isOwnVariable } from '../config-file.ts';

/** Both files as they are to be written. */
export interface AdoptedFiles {
  root: string;
  client: string;
  /** Names that moved, for people. */
  moved: { connections: string[]; routes: string[] };
}

/** Why it cannot be moved: the client's file could name what stands in it only. */
export class AdoptionError extends Error {
  override name = 'AdoptionError';
  readonly hint: string;

  constructor(message: string, hint: string) {
    super(message);
    this.hint = hint;
  }
}

/**
 * @param text of wrapup.yaml, which has no errors
 * @param source its name there, which the moved one keeps in its keys
 * @throws AdoptionError
 */
export function adoptSource(text: string, source: string, client: string): AdoptedFiles {
  const root = parseDocument(text);
  const { sources, connections, routes, inbound, retention } = asObject(root.toJS());
  const names = Object.keys(asObject(sources));
  if (!names.includes(source)) {
    throw new AdoptionError(`wrapup.yaml has no source "${source}"`, `it has: ${names.join(', ') || 'none'}`);
  }
  const all = (Array.isArray(routes) ? routes : []).map(asObject);
  const fromOf = (route: Record<string, unknown>) => (route.from === undefined ? names : [route.from].flat());
  const shared = all.find((route) => fromOf(route).includes(source) && fromOf(route).length > 1);
  if (shared) {
    throw new AdoptionError(
      `route ${shared.name} takes calls of other sources too: ${fromOf(shared).join(', ')}`,
      'give each source a route of its own first; a new name makes new records, so keep the old name for this source',
    );
  }
  const own = all.filter((route) => fromOf(route).includes(source));
  const ownInbound = asObject(
    asObject(asObject(sources)[source]).inbound ?? (names.length === 1 ? inbound : undefined),
  );
  const wanted = new Set([...own.map(({ to }) => to), ownInbound.look_up].filter((name) => typeof name === 'string'));
  const foreign = [
    ...all.filter((route) => !own.includes(route)).map(({ name, to }) => ({ to, by: `route ${name}` })),
    ...names
      .filter((name) => name !== source)
      .map((name) => ({
        to: asObject(asObject(asObject(sources)[name]).inbound).look_up,
        by: `the inbound calls of source ${name}`,
      })),
    { to: asObject(asObject(root.toJS()).alerts).to, by: 'alerts' },
    ...[asObject(root.toJS()).digests].flat().map((digest) => ({ to: asObject(digest).to, by: 'a digest' })),
  ].find(({ to }) => typeof to === 'string' && wanted.has(to));
  if (foreign) {
    throw new AdoptionError(
      `connection ${foreign.to} is used by ${foreign.by} as well, and a client can name only what stands in its own file`,
      'declare it a second time under another name for the others; quota is then counted for each of the two',
    );
  }

  const file = new Document({});
  const take = (section: string, name: string) => {
    const pair = takePair(root, section, name);
    const into = (file.get(section) as YAMLMap | undefined) ?? file.createNode({});
    if (!file.has(section)) file.set(section, into);
    (into as YAMLMap).add(pair);
    return pair;
  };
  const moved = take('sources', source);
  if (isMap(moved.value)) moved.value.items.unshift(file.createPair('key_prefix', source) as never);
  else moved.value = file.createNode({ key_prefix: source });
  for (const name of Object.keys(asObject(connections))) if (wanted.has(name)) take('connections', name);
  moveRoutes(root, file, own.length === all.length ? undefined : own);
  if (names.length === 1 && inbound !== undefined) moveSection(root, file, 'inbound');
  if (retention !== undefined) file.set('retention', file.createNode(retention));
  // Variables keep their names; wrapup.yaml says that this client may read them, and no other.
  const named = [...file.toString().matchAll(/\$\{([A-Za-z_][A-Za-z0-9_]*)/g)].map(([, name]) => name as string);
  const given = [...new Set(named)].filter((name) => !isOwnVariable(name, client));
  if (given.length > 0) root.setIn(['client_variables', client], root.createNode(given, { flow: true }));
  return {
    root: root.toString({ lineWidth: 0 }),
    client: `# Client ${client}. Names in this file are its own: outside they begin with ${client}., as in /webhooks/${client}.${source}/post-call\n${file.toString({ lineWidth: 0 })}`,
    moved: { connections: [...wanted], routes: own.map(({ name }) => String(name)) },
  };
}

function takePair(document: Document, section: string, name: string): Pair {
  const map = document.get(section) as YAMLMap;
  const index = map.items.findIndex((pair) => String((pair as Pair<{ value: unknown }>).key.value) === name);
  const [pair] = map.items.splice(index, 1);
  if (map.items.length === 0) document.delete(section);
  return pair as Pair;
}

/** @param some those that move; undefined: all of them */
function moveRoutes(root: Document, file: Document, some: Record<string, unknown>[] | undefined): void {
  const routes = root.get('routes');
  if (!isSeq(routes)) return;
  const goes = (name: unknown) => some === undefined || some.some((route) => route.name === name);
  const moving = routes.items.filter((item) => isMap(item) && goes(item.get('name')));
  const staying = routes.items.filter((item) => !moving.includes(item));
  // Its one source is whose calls they are.
  for (const item of moving) if (isMap(item)) item.delete('from');
  const list = file.createNode([]) as typeof routes;
  list.items = moving as typeof list.items;
  if (routes.flow !== undefined) list.flow = routes.flow;
  file.set('routes', list);
  if (staying.length === 0) root.delete('routes');
  else routes.items = staying as typeof routes.items;
}

function moveSection(root: Document, file: Document, section: string): void {
  const node = root.get(section, true);
  root.delete(section);
  file.set(section, node);
}
