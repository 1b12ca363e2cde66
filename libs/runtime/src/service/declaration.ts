/**
 * What a service is allowed to do, said beside its handlers: from it alone the bootstrap makes consumers, bus users and
 * store policies, so that nobody keeps a second list.
 */
import { type HandlerDeclaration } from '../handler.js';
import { type TypeOf } from '../registry.js';
import { type VOCABULARY } from '../vocabulary.js';

type Vocabulary = typeof VOCABULARY;

export interface ServiceDeclaration {
  /** Of the process, its bus user and its store user. */
  readonly name: string;
  readonly handlers: readonly HandlerDeclaration<Vocabulary>[];
  /** Types that it publishes beside its handlers. */
  readonly publishes?: readonly TypeOf<Vocabulary>[];
  /** Streams that it looks into without being a consumer. */
  readonly follows?: readonly string[];
  /** Streams out of which it may take messages, and which it may send again whatever they were. */
  readonly clears?: readonly string[];
  /** Beginnings of the keys that it reads; those that it writes are among them by themselves. */
  readonly reads: readonly string[];
  /** Beginnings of the keys that it writes; `*` stands for any characters. */
  readonly writes: readonly string[];
  /** Files of 32 random bytes in base64 that all its replicas share, beside their credentials. */
  readonly secrets?: readonly string[];
}

/** Checks a declaration's names; gives the declaration. */
export function declareService(service: ServiceDeclaration): ServiceDeclaration {
  for (const prefix of [...service.reads, ...service.writes])
    if (prefix.startsWith('/')) throw new TypeError(`service ${service.name}: no key begins with ${prefix}`);
  return service;
}
