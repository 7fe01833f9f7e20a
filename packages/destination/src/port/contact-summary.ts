import type { Value } from '@wrapup/mapping';
import type { Who } from './destination.ts';

type Known = Value | undefined;

/**
 * What an adapter read of a person, in the port's words. Of addresses and numbers the first that is there; the parts of a
 * name together. Undefined when nothing is known.
 */
export function whoIs(known: { name: Known[]; email: Known[]; phone: Known[]; company: Known[] }): Who | undefined {
  const texts = (values: Known[]) =>
    values.filter((value) => typeof value === 'string' && value.trim() !== '') as string[];
  const name = texts(known.name).join(' ');
  const [email] = texts(known.email);
  const [phone] = texts(known.phone);
  const [company] = texts(known.company);
  const who = {
    ...(name ? { name } : {}),
    ...(email ? { email } : {}),
    ...(phone ? { phone } : {}),
    ...(company ? { company } : {}),
  };
  return Object.keys(who).length > 0 ? who : undefined;
}
