import type { Call } from '@wrapup/call';
import type { Config, Route } from './config.ts';

/** The routes that a call takes: on each connection the first that matches, and every matching one that says `also`. */
export function chooseRoutes(config: Pick<Config, 'routes'>, call: Call): Route[] {
  const served = new Set<string>();
  return config.routes.filter((route) => {
    if (!route.also && served.has(route.to)) return false;
    if (!route.when(call)) return false;
    if (!route.also) served.add(route.to);
    return true;
  });
}
