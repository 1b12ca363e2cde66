// The HTTP door: models, datasets, evaluations, trainings, dead letters, live progress.
export { Tokens } from './access/tokens.js';
export { GATEWAY_SERVICE } from './declaration.js';
export {
  type Gateway,
  GATEWAY_LIMITS,
  type GatewayLimits,
  type GatewayOptions,
  openGateway,
} from './gateway.js';
export { listen, type Listening, type ListenOptions } from './server.js';
