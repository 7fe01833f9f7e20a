// PROVISIONAL until packages/mapping exports compileMapping and compileWhen: not to be committed.
import { join } from 'node:path';
import type { Call } from '@wrapup/call';
import type { DestinationKind } from '@wrapup/destination';
import type { CompiledMapping, Finding, Place } from '@wrapup/mapping';
import type { YamlDocument } from './document.ts';
import type { FileSet } from './files.ts';

export function compileMappingFile(r: {
  path: string;
  folder: string;
  kind: DestinationKind;
  files: FileSet;
  at?: Place;
}): { mapping?: CompiledMapping; findings: Finding[] } {
  r.files.read(join(r.folder, r.path));
  return {
    mapping: {
      name: r.path,
      kind: r.kind.kind,
      hash: 'provisional',
      fields: [],
      plan() {
        throw new Error('mapping language not there yet');
      },
    },
    findings: [],
  };
}
export function compileCondition(
  _w: unknown,
  _d: YamlDocument,
  _p: PropertyKey[],
): { when?: (call: Call) => boolean; findings: Finding[] } {
  return { when: () => true, findings: [] };
}
