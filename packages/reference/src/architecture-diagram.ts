/** docs/architecture.svg: what imports what, between packages and apps, drawn from the imports themselves. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const BOX = { width: 112, height: 34, gapX: 18, gapY: 58 };
const MARGIN = 16;

interface Room {
  name: string;
  isApp: boolean;
  uses: string[];
}

/** @param root of the repository */
export function drawArchitecture(root: string): string {
  const rooms = readRooms(root);
  const layers = layersOf(rooms);
  const width = Math.max(...layers.map((layer) => layer.length * (BOX.width + BOX.gapX) - BOX.gapX)) + 2 * MARGIN;
  const height = layers.length * (BOX.height + BOX.gapY) - BOX.gapY + 2 * MARGIN;
  const places = new Map<string, { x: number; y: number }>();
  layers.forEach((layer, row) => {
    const left = (width - (layer.length * (BOX.width + BOX.gapX) - BOX.gapX)) / 2;
    layer.forEach(({ name }, column) => {
      places.set(name, { x: left + column * (BOX.width + BOX.gapX), y: MARGIN + row * (BOX.height + BOX.gapY) });
    });
  });
  const arrows = rooms.flatMap(({ name, uses }) =>
    direct(uses, rooms).map((used) => drawArrow(places.get(name) as Place, places.get(used) as Place)),
  );
  const boxes = rooms.map((room) => drawBox(room, places.get(room.name) as Place));
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="system-ui, sans-serif" font-size="13" role="img" aria-label="Packages and apps, each above what it imports">
<style>text { fill: #111827 } rect { fill: #f3f4f6; stroke: #6b7280 } .app { fill: #dbeafe; stroke: #2563eb } path { stroke: #9ca3af; fill: none } marker path { fill: #9ca3af; stroke: none } @media (prefers-color-scheme: dark) { text { fill: #e5e7eb } rect { fill: #1f2937 } .app { fill: #1e3a8a } }</style>
<defs><marker id="head" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0 8 4 0 8z"/></marker></defs>
${[...arrows, ...boxes].join('\n')}
</svg>
`;
}

type Place = { x: number; y: number };

function readRooms(root: string): Room[] {
  const folders = globSync('{apps,packages}/*/package.json', { cwd: root }).toSorted();
  const rooms = folders.map((manifest) => {
    const folder = manifest.replace('/package.json', '');
    const { name } = JSON.parse(readFileSync(join(root, manifest), 'utf8')) as { name: string };
    return { folder, name, isApp: folder.startsWith('apps/') };
  });
  const known = new Set(rooms.map(({ name }) => name));
  return rooms.map(({ folder, name, isApp }) => {
    const used = new Set<string>();
    const source = join(root, folder, 'src');
    const files = existsSync(source) ? globSync('**/*.ts', { cwd: source }) : [];
    for (const file of files) {
      for (const [, other = ''] of readFileSync(join(source, file), 'utf8').matchAll(/['"](@wrapup\/[\w-]+)/g)) {
        if (other !== name && known.has(other)) used.add(other);
      }
    }
    return { name, isApp, uses: [...used].toSorted() };
  });
}

/** Apps on top; below them each package above all that it uses. */
function layersOf(rooms: readonly Room[]): Room[][] {
  const byName = new Map(rooms.map((room) => [room.name, room]));
  const depths = new Map<string, number>();
  const depthOf = (name: string): number => {
    const known = depths.get(name);
    if (known !== undefined) return known;
    const depth = Math.max(-1, ...(byName.get(name)?.uses ?? []).map(depthOf)) + 1;
    depths.set(name, depth);
    return depth;
  };
  const packages = rooms.filter(({ isApp }) => !isApp);
  const deepest = Math.max(...packages.map(({ name }) => depthOf(name)));
  const rows = Array.from({ length: deepest + 1 }, (_, index) =>
    packages.filter(({ name }) => depthOf(name) === deepest - index),
  );
  return [rooms.filter(({ isApp }) => isApp), ...rows];
}

/** What is not reached through another one that is used, so that few arrows say it all. */
function direct(uses: readonly string[], rooms: readonly Room[]): string[] {
  const usesOf = (name: string) => rooms.find((room) => room.name === name)?.uses ?? [];
  const reaches = (from: string, to: string): boolean => usesOf(from).some((next) => next === to || reaches(next, to));
  return uses.filter((used) => !uses.some((other) => other !== used && reaches(other, used)));
}

function drawArrow(from: Place, to: Place): string {
  const [x1, y1] = [from.x + BOX.width / 2, from.y + BOX.height];
  const [x2, y2] = [to.x + BOX.width / 2, to.y - 2];
  const bend = (y2 - y1) / 2;
  return `<path d="M${x1} ${y1}C${x1} ${y1 + bend} ${x2} ${y2 - bend} ${x2} ${y2}" marker-end="url(#head)"/>`;
}

function drawBox({ name, isApp }: Room, { x, y }: Place): string {
  const label = name.replace('@wrapup/', '');
  return `<rect${isApp ? ' class="app"' : ''} x="${x}" y="${y}" width="${BOX.width}" height="${BOX.height}" rx="6"/><text x="${x + BOX.width / 2}" y="${y + 22}" text-anchor="middle">${label}</text>`;
}
