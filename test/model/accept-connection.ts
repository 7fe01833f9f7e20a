/** As accept.ts, of a connection: who may pause it, who may let it go on, and when its circuit opens. */
import type { Acceptance } from './accept.ts';
import type { ModelState } from './trace.ts';

export type ConnectionState = ModelState['connection'];

export const CLOSED: ConnectionState = {
  ...{ circuit: 'closed', cause: '', tries: 0, next: 0, failures: 0, probing: 0, operator: '' },
};

/** Outages in a row until the circuit opens. */
const MAX_OUTAGES = 5;

/** Takes the states of one connection as they follow each other. */
export class ConnectionAcceptor {
  #state = CLOSED;
  /** Rights to probe that were given, and of which no end was seen. A crash leaves one. */
  #probes = 0;

  accept(after: ConnectionState): Acceptance {
    const before = this.#state;
    const name = this.#explain(before, after);
    if (name === undefined)
      return { refused: `${JSON.stringify(after)} does not follow from ${JSON.stringify(before)}` };
    this.#state = after;
    return { steps: name === '' ? [] : [name] };
  }

  #explain(before: ConnectionState, after: ConnectionState): string | undefined {
    const changed = (Object.keys(before) as (keyof ConnectionState)[]).filter((part) => before[part] !== after[part]);
    const only = (...parts: (keyof ConnectionState)[]) => changed.every((part) => parts.includes(part));
    if (changed.length === 0) return '';
    if (changed.includes('operator')) {
      if (before.operator === '') return only('operator') ? 'pause' : undefined;
      // A pause of the circuit stays when an operator ends their own, and its probe is due.
      return after.operator === '' && only('operator', 'next') && after.next <= before.next ? 'resume' : undefined;
    }
    if (before.circuit === 'open') return this.#explainOpen(before, after, only);
    if (after.circuit === 'open') {
      if (after.failures !== 0 || after.probing !== 0) return undefined;
      if (before.circuit === 'trial') return after.tries === before.tries + 1 ? 'note reopens' : undefined;
      const isDue = after.cause !== 'outage' || before.failures === MAX_OUTAGES - 1;
      return after.tries === 0 && isDue ? 'note opens' : undefined;
    }
    if (before.circuit === 'trial' && after.circuit === 'closed')
      return after.failures === 0 && only('circuit', 'cause', 'tries', 'next', 'failures') ? 'trial ends' : undefined;
    if (before.circuit !== after.circuit) return undefined;
    if (only('failures')) {
      if (after.failures === 0) return 'note answered';
      const isNext = after.failures === before.failures + 1 && after.failures < MAX_OUTAGES;
      return isNext && before.circuit === 'closed' ? 'note outage' : undefined;
    }
    // Of a probe that came back when the circuit was no longer open.
    return only('probing') && after.probing === 0 && this.#endProbe() ? 'probe late' : undefined;
  }

  #explainOpen(
    before: ConnectionState,
    after: ConnectionState,
    only: (...parts: (keyof ConnectionState)[]) => boolean,
  ): string | undefined {
    if (only('probing')) {
      if (after.probing === 0) return this.#endProbe() ? 'probe late' : undefined;
      this.#probes += 1;
      return 'claim';
    }
    if (only('next')) return after.next < before.next ? 'resume' : undefined;
    if (after.failures !== before.failures || after.probing !== 0 || !this.#endProbe()) return undefined;
    if (after.circuit === 'trial' && after.tries === before.tries && after.cause === before.cause)
      return 'probe answered';
    return after.circuit === 'open' && after.tries === before.tries + 1 ? 'probe failed' : undefined;
  }

  #endProbe(): boolean {
    if (this.#probes === 0) return false;
    this.#probes -= 1;
    return true;
  }
}
