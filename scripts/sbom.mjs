/**
 * `npm run sbom [-- <file>]`: the software bill of materials of what an installation runs, as CycloneDX JSON, read from
 * the installed tree. Default file: `sbom.cdx.json` beside package.json.
 *
 * npm lists every package and marks those for development. They are left out here and not by `--omit dev`, which takes
 * out more than it should: what one workspace needs to run and another to be tested.
 */
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fail, goOnPinned, npm, ROOT } from './set-up.mjs';

const CALLED_FROM = process.env.INIT_CWD ?? process.cwd();

await goOnPinned();
const file = process.argv[2] ? resolve(CALLED_FROM, process.argv[2]) : join(ROOT, 'sbom.cdx.json');
const bom = narrow(await listPackages());
writeFileSync(file, `${JSON.stringify(bom, null, 2)}\n`);
process.stderr.write(`${bom.components.length} components in ${file}\n`);

async function listPackages() {
  const folder = mkdtempSync(join(tmpdir(), 'wrapup-sbom-'));
  try {
    const output = openSync(join(folder, 'bom.json'), 'w');
    const code = await npm(['sbom', '--sbom-format=cyclonedx', '--sbom-type=application'], output);
    closeSync(output);
    if (code !== 0) fail('npm sbom failed; what it said stands above. It needs npm 10 or newer.');
    return JSON.parse(readFileSync(join(folder, 'bom.json'), 'utf8'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Without what only development needs, and with every package under its name: npm names a workspace by its folder. */
function narrow(all) {
  const components = all.components.filter((component) => !isForDevelopment(component)).map(nameByReference);
  const kept = new Set([all.metadata.component, ...components].map((component) => component['bom-ref']));
  const dependencies = all.dependencies
    .filter(({ ref }) => kept.has(ref))
    .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter((other) => kept.has(other)) }));
  const metadata = { ...all.metadata, component: nameByReference(all.metadata.component) };
  return { ...all, metadata, components, dependencies };
}

function isForDevelopment({ properties = [] }) {
  return properties.some(({ name, value }) => name === 'cdx:npm:package:development' && value === 'true');
}

/** A reference is `<name>@<version>`. */
function nameByReference(component) {
  const reference = component['bom-ref'];
  return { ...component, name: reference.slice(0, reference.lastIndexOf('@')) };
}
