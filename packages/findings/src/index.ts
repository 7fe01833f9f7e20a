/** YAML with the place of every value, shapes checked against a schema, and findings about both. */
export * from './check-shape.ts';
export { closed } from './closed.ts';
export { applyEdits, type Edit, type EditedText } from './edit-yaml.ts';
export * from './finding.ts';
export * from './nearest.ts';
export * from './node.ts';
export { REFUSED_NAMES, readYaml } from './read-yaml.ts';
export { Report, truncate } from './report.ts';
export { writeFlow, writeKey, writeScalar } from './write-yaml.ts';
