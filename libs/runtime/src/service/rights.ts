/** From what a service declares to what it may do on the bus. */
import { type BusRights, type ConsumerConfig } from '@facet/bus';
import { POOLS, STREAMS } from '@facet/contracts';
import { deadLetterSubject } from '../dead-letter.js';
import { consumerOf } from '../handler.js';
import { VOCABULARY } from '../vocabulary.js';
import { type ServiceDeclaration } from './declaration.js';

/** The durable consumers of a service's handlers. */
export const consumersOf = ({ handlers }: ServiceDeclaration): ConsumerConfig[] =>
  handlers.map((handler) => consumerOf(VOCABULARY, handler));

export function busRights(service: ServiceDeclaration): BusRights {
  const { name, handlers, publishes = [], follows = [], clears = [] } = service;
  const types = new Set([...publishes, ...handlers.flatMap((handler) => handler.publishes)]);
  const subjects = [...types].flatMap((type) => POOLS.map((pool) => VOCABULARY[type].subject(pool)));
  const again = clears.length === 0 ? [] : STREAMS.flatMap((stream) => stream.subjects);
  return {
    name,
    publishes: [
      ...new Set([...subjects, ...again, ...handlers.map((handler) => deadLetterSubject(handler.name))]),
    ],
    consumers: consumersOf(service),
    follows,
    clears,
  };
}
