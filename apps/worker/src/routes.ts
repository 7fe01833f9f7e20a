import type { Call } from '@wrapup/call';
import type { Config, Route } from '@wrapup/config';

/** The routes that deliver a call: per connection the first that matches, and later ones that say `also`. */
export function chooseRoutes(config: Config, call: Call): Route[] {
  const taken = new Set<string>();
  return config.routes.filter((route) => {
    if (taken.has(route.to) && !route.also) return false;
    if (!route.when(call)) return false;
    taken.add(route.to);
    return true;
  });
}
