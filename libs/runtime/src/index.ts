// What every service is made of: configuration, handler loop, lifecycle, errors.
export {
  FacetError,
  type FacetErrorOptions,
  inFile,
  InputError,
  isTerminal,
  RetryableError,
  TerminalError,
  TimeLimitError,
} from './errors.js';
export { errorChain, errorLine, type ErrorLink } from './error-chain.js';
export {
  type EventContext,
  type EventKind,
  type OutgoingEvent,
  type ReceivedEvent,
  type Registry,
  type TypeOf,
} from './registry.js';
export { VOCABULARY } from './vocabulary.js';
export { decodeEvent, derivedId, encodeEvent, type SentEvent } from './envelope.js';
export { deadLetterSubject, decodeDeadLetter, encodeDeadLetter, originalOf } from './dead-letter.js';
export { DeadLetters, type PlacedLetter } from './dead-letters.js';
export { type Backoff, backoffMs, DEFAULT_BACKOFF } from './backoff.js';
export {
  consumerOf,
  declareHandler,
  defineHandler,
  type GivenUp,
  type Handler,
  type HandlerContext,
  type HandlerDeclaration,
} from './handler.js';
export { runHandlers, type RunHandlersOptions, type RunningHandlers } from './run-handlers.js';
export { NO_PROGRESS, type Progress, type ProgressReport } from './progress.js';
export {
  createLog,
  type Log,
  LOG_LEVELS,
  type LogFields,
  type LogLevel,
  logOptions,
  NO_LOG,
  withFields,
} from './log.js';
export { readConfig } from './config.js';
export { Lifecycle } from './lifecycle.js';
export { Connections, CONNECTIONS, ServiceConfig } from './service/config.js';
export { connectBus, connectStore, natsOptions, s3Options } from './service/connect.js';
export { declareService, type ServiceDeclaration } from './service/declaration.js';
export { type HealthChecks, type HealthServer, serveHealth } from './service/health.js';
export { type AnyHandler, runService, type ServicePorts } from './service/run.js';
export { packageVersion } from './service/version.js';
export { busRights, consumersOf } from './service/rights.js';
