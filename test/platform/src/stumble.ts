/** Loaded into services by `NODE_OPTIONS=--import`: the first attack of a process on the named objective fails, once. */
import { Engine } from '@facet/engine';

export const STUMBLES_ON = 'sfa';

const { attack } = Engine.prototype;
let stumbled = false;

Engine.prototype.attack = function (this: Engine, ...args) {
  const [{ objective }] = args;
  if (objective !== STUMBLES_ON || stumbled) return attack.apply(this, args);
  stumbled = true;
  return Promise.reject(new Error('it stumbles once'));
};
