// The message bus port, its in-process and NATS JetStream adapters: at-least-once, redelivery, dead letters.
export {
  type Bus,
  BusError,
  type BusFault,
  type ConsumerConfig,
  type Delivery,
  type Message,
  type StreamConfig,
} from './port.js';
export { type Clock, ManualClock, systemClock } from './clock.js';
export { type PlacedMessage, type ReadOptions, type StreamPosition, type StreamReader } from './reader.js';
export { InProcessBus, type InProcessBusOptions } from './in-process/bus.js';
export { checkConsumer, checkMessage, checkStreams, MAX_PAYLOAD_BYTES, payloadBytes } from './rules.js';
export { anyOverlap, subjectMatches, subjectsOverlap } from './subjects.js';
export { type Backlog, NatsBus } from './nats/bus.js';
export { connectNats, type NatsOptions } from './nats/connection.js';
export { type Change, ensureConsumer, ensureStream } from './nats/setup.js';
export {
  authorizationConfig,
  type BusRights,
  type KeyPair,
  type NatsUser,
  newUserKey,
  permissionsOf,
  publicKeyOf,
} from './nats/users.js';
