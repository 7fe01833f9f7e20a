import type { Session } from '../http/transport.ts';
import type { Context } from '../port/context.ts';
import type { Destination } from '../port/destination.ts';
import type { CrmAdapter } from './adapter.ts';
import type { PlanWrite } from './plan/plan-write.ts';
import { findPersons, previewPlans } from './preview.ts';
import { writePlans } from './write.ts';

/**
 * The part of a destination that the engine makes of an adapter.
 * @param begin the session of one call, which counts what the plans cost
 * @param open what the adapter brings for these plans. `for_reader`: a human looks at the answers and wants to open the records
 */
export function throughEngine<Opened extends Session>(
  begin: (ctx: Context) => Opened,
  open: (session: Opened, writes: PlanWrite[], for_reader: boolean) => Promise<CrmAdapter>,
): Pick<Destination, 'find' | 'preview' | 'write'> {
  return {
    find: async (persons, ctx) => {
      const { people } = await open(
        begin(ctx),
        [],
        persons.some(({ identify }) => identify),
      );
      return findPersons(people, persons);
    },
    preview: (plans, ctx) => previewPlans(plans, (writes) => open(begin(ctx), writes, true)),
    write: (plans, ctx) => {
      const session = begin(ctx);
      return writePlans(session, plans, (writes) => open(session, writes, false));
    },
  };
}
