import type { Context } from '@wrapup/destination';

/** Where the org's active users are remembered. */
export const OWNERS = 'owners';

/** After Salesforce refused one: who is remembered as active may not be any more. */
export async function forgetOwners(ctx: Context): Promise<void> {
  await ctx.memory.delete(OWNERS);
}
