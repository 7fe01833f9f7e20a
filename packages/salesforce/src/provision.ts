import type { Context, ProvisionStep } from '@wrapup/destination';
import type { CompiledMapping } from '@wrapup/mapping';
import type { Transport } from './transport.ts';
export async function provisionAccount(
  _t: Transport,
  _m: { mappings: CompiledMapping[]; plan: boolean },
  _c: Context,
): Promise<ProvisionStep[]> {
  return [];
}
