/** The product's own registry: the facts and jobs of the contracts, in their streams. */
import {
  FACTS,
  factSubject,
  type FactType,
  JOBS,
  jobSubject,
  type JobType,
  type Pool,
} from '@facet/contracts';
import { type EventKind } from './registry.js';

type Vocabulary = { readonly [T in FactType]: EventKind<(typeof FACTS)[T]> } & {
  readonly [T in JobType]: EventKind<(typeof JOBS)[T]>;
};

const DEFAULT_POOL: Pool = 'cpu';

const facts = Object.entries(FACTS).map(([type, schema]) => [
  type,
  { stream: 'FACET_EVENTS', schema, subject: () => factSubject(type as FactType) },
]);
const jobs = Object.entries(JOBS).map(([type, schema]) => [
  type,
  {
    stream: 'FACET_JOBS',
    schema,
    subject: (pool = DEFAULT_POOL) => jobSubject(type as JobType, pool as Pool),
  },
]);

export const VOCABULARY = Object.fromEntries([...facts, ...jobs]) as Vocabulary;
