/** Loaded into services by `NODE_OPTIONS=--import`: one shard of one cell kills the process that attacks it. */
import { Engine } from '@facet/engine';

export const POISONED = { facet: 'depth', objective: 'sfa' } as const;

const { attack } = Engine.prototype;
const [poisoned] = (process.env['FACET_CHAOS_POISON'] ?? '').split(',');

Engine.prototype.attack = function (this: Engine, ...args) {
  const [{ facet, objective, keys }] = args;
  if (facet === POISONED.facet && objective === POISONED.objective && keys[0] === poisoned)
    process.kill(process.pid, 'SIGKILL');
  return attack.apply(this, args);
};
