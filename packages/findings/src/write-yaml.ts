/** Nodes as YAML text again. */
import * as yaml from 'yaml';
import { type Node, type Scalar, toPlain } from './node.ts';

/** A value on one line: `{ from: lead.phone, write: if_empty }`. */
export function writeFlow(node: Node): string {
  const document = new yaml.Document();
  document.contents = document.createNode(toPlain(node), { flow: true });
  return document.toString({ lineWidth: 0 }).trimEnd();
}

/**
 * `key: value`, or the value of a list's item where there is no key; a long text goes on below it, indented by two.
 * @param width characters of a line
 */
export function writeScalar(key: string | undefined, value: Scalar, width: number): string[] {
  const whole = key === undefined ? [value] : { [key]: value };
  const text = yaml.stringify(whole, { lineWidth: Math.max(width, 20), minContentWidth: 0 }).trimEnd();
  return (key === undefined ? text.replace(/^- /, '').replace(/^ {2}/gm, '') : text).split('\n');
}

/** A key as YAML writes it, quoted where it has to be. */
export function writeKey(key: string): string {
  return yaml.stringify({ [key]: 0 }, { lineWidth: 0 }).replace(/: 0\n$/, '');
}
