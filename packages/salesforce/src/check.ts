import type { Context } from '@wrapup/destination';
import type { CompiledMapping, Finding } from '@wrapup/mapping';
import type { Transport } from './transport.ts';
export async function checkMappings(_t: Transport, _m: CompiledMapping[], _c: Context): Promise<Finding[]> {
  return [];
}
