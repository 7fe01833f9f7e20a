import { DATE_TRANSFORMS } from './dates.ts';
import { LIST_TRANSFORMS } from './lists.ts';
import { NUMBER_TRANSFORMS } from './numbers.ts';
import { PERSON_TRANSFORMS } from './persons.ts';
import { PRIVACY_TRANSFORMS } from './privacy.ts';
import { TEXT_TRANSFORMS } from './texts.ts';
import type { Transform } from './transform.ts';

/** Understood by the language itself: it is the one that sees absent values, and its argument may be a path. */
export const DEFAULT_TRANSFORM = 'default';

const TRANSFORMS = new Map<string, Transform>();

/**
 * Adds a transform to the language, for mappings that are compiled from then on.
 * @throws when the name is not `[a-z][a-z0-9_]*` or is taken
 */
export function registerTransform(transform: Transform): void {
  const { name } = transform;
  if (!/^[a-z][a-z0-9_]*$/.test(name)) throw new Error(`"${name}" is no name for a transform`);
  if (TRANSFORMS.has(name) || name === DEFAULT_TRANSFORM) throw new Error(`there is already a transform ${name}`);
  TRANSFORMS.set(name, transform);
}

export function findTransform(name: string): Transform | undefined {
  return TRANSFORMS.get(name);
}

/** All transforms, for editors and the reference; `default` is not among them. */
export function listTransforms(): Transform[] {
  return [...TRANSFORMS.values()];
}

for (const transform of [
  ...TEXT_TRANSFORMS,
  ...PERSON_TRANSFORMS,
  ...NUMBER_TRANSFORMS,
  ...DATE_TRANSFORMS,
  ...LIST_TRANSFORMS,
  ...PRIVACY_TRANSFORMS,
])
  registerTransform(transform);
