import { type Call, type JsonObject, own } from '@wrapup/call';
import { type Plan, type Restricted, restrictPlan } from '@wrapup/mapping';
import type { Config, Route } from './model/config.ts';

/** Whether a route takes calls of this source at all. */
export function isFrom({ from }: Pick<Route, 'from'>, source: string): boolean {
  return from.includes(source);
}

/** The routes that a call takes: on each connection the first that matches, and every matching one that says `also`. */
export function chooseRoutes(config: Pick<Config, 'routes'>, call: Call): Route[] {
  const served = new Set<string>();
  return config.routes.filter((route) => {
    if (!isFrom(route, call.source)) return false;
    if (!route.also && served.has(route.to)) return false;
    if (!route.when(call)) return false;
    if (!route.also) served.add(route.to);
    return true;
  });
}

/**
 * The plan of a call on a route. Ingress answers an inbound call with the id of the person whom it found
 * (`crm_person_id`) and the connection where (`crm_connection`), and both come back with the finished call. On any other
 * connection that id would be another record, or none.
 */
export function planCall({ mapping, name, to }: Pick<Route, 'mapping' | 'name' | 'to'>, call: Call): Plan {
  const metadata = withoutForeign(call.metadata, to);
  const prompt_variables = withoutForeign(call.prompt_variables, to);
  const same = metadata === call.metadata && prompt_variables === call.prompt_variables;
  return mapping.plan(same ? call : { ...call, metadata, prompt_variables }, name);
}

/**
 * The plan of a call that came more than once: what its revisions say together, without what only a signature vouches
 * for (`Standing` in packages/synthflow).
 * @param proved the call without that part; the same object as `call` where there is nothing of the kind
 * @param written names of records that earlier deliveries of the call have written
 */
export function planStanding(
  route: Pick<Route, 'mapping' | 'name' | 'to'>,
  { call, proved }: { call: Call; proved: Call },
  written: readonly string[],
): Restricted {
  const whole = planCall(route, call);
  if (call === proved) return { plan: whole, withheld: [] };
  return restrictPlan(planCall(route, proved), whole, new Set(written));
}

function withoutForeign(data: JsonObject, connection: string): JsonObject {
  const of = data.crm_connection;
  if (typeof of !== 'string' || of === connection || !Object.hasOwn(data, 'crm_person_id')) return data;
  const { crm_person_id: _, ...rest } = data;
  return rest;
}

/** The name that wrapup.yaml gives an agent. @param id as the voice platform sends it */
export function agentName(
  { sources }: Pick<Config, 'sources'>,
  source: string,
  id: string | undefined,
): string | undefined {
  const agents = own(sources, source)?.agents;
  return id === undefined || !agents ? undefined : own(agents, id)?.name;
}

/** Attempts of a delivery whose route is no longer configured: it is parked with that reason. */
const DEFAULT_ATTEMPTS = 10;

/** Attempts that a delivery on a route gets. */
export function attemptsOf(config: Pick<Config, 'routes'> | undefined, route: string): number {
  return config?.routes.find(({ name }) => name === route)?.retries.attempts ?? DEFAULT_ATTEMPTS;
}
