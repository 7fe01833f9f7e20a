/** Calls to begin with: the samples that ship, the tests beside the mapping, and those of the presets of its kind. */
import { readdirSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { MappingPlace } from '@wrapup/config';
import { type ListedCase, listCases } from '@wrapup/fixtures';
import { SAMPLE_KINDS } from '@wrapup/synthflow/payload';

export interface Sample {
  /** In the address of the page. */
  id: string;
  label: string;
  text: string;
}

export interface SampleGroup {
  label: string;
  samples: Sample[];
}

export const FIRST_SAMPLE = 'connected';
/** What a page begins with. */
export const FIRST_TEXT = `given: ${FIRST_SAMPLE}\n`;

const PACKAGES = resolve(import.meta.dirname, '../../../../packages');
const TEST = /\.test\.ya?ml$/;
/** Of one group. */
const MOST = 200;

/** @param isOwn the files beside the mapping belong to whom the page is for */
export function listSamples({ config, path, kind }: MappingPlace, isOwn: boolean): SampleGroup[] {
  const shipped = SAMPLE_KINDS.map((name) => ({ id: name, label: name, text: `given: ${name}\n` }));
  const folder = join(dirname(config), dirname(path));
  const beside = isOwn ? testsIn(folder).flatMap((file) => casesOf('tests', file, basename(path))) : [];
  const groups = [
    { label: 'Samples', samples: shipped },
    { label: `Tests beside ${path}`, samples: beside.slice(0, MOST) },
    ...testsOfPresets(kind),
  ];
  return groups.filter(({ samples }) => samples.length > 0);
}

export function findSample(groups: readonly SampleGroup[], id: string | undefined): Sample | undefined {
  return groups.flatMap(({ samples }) => samples).find((sample) => sample.id === id);
}

/** They ship with the version. */
const OF_PRESETS = new Map<string, SampleGroup[]>();

function testsOfPresets(kind: string): SampleGroup[] {
  const known = OF_PRESETS.get(kind);
  if (known) return known;
  const groups = testsIn(join(PACKAGES, kind, 'presets')).map((file) => ({
    label: `Tests of ${kind}/${basename(file).replace(TEST, '')}`,
    samples: casesOf('presets', file, undefined),
  }));
  OF_PRESETS.set(kind, groups);
  return groups;
}

function testsIn(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => TEST.test(name))
      .sort()
      .map((name) => join(folder, name));
  } catch {
    return [];
  }
}

/** @param mapping whose tests alone are wanted */
function casesOf(group: string, file: string, mapping: string | undefined): Sample[] {
  const { mapping: named = '', cases } = listCases(file);
  if (mapping !== undefined && basename(named) !== mapping) return [];
  return cases.map(({ name, text }: ListedCase, index) => ({
    id: `${group}/${basename(file)}/${index + 1}`,
    label: name,
    text,
  }));
}
