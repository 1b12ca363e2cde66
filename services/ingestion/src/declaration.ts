/** What the ingestion service takes, sends, reads and writes. */
import { declareHandler, declareService, VOCABULARY } from '@facet/runtime';

export const INGESTION = declareHandler(VOCABULARY, {
  name: 'ingestion',
  consumes: ['ingestion'],
  publishes: ['dataset.ingested', 'dataset.failed'],
  pool: 'cpu',
  ackWaitMs: 30_000,
  attemptLimitMs: 12 * 3_600_000,
  maxDeliver: 3,
});

export const INGESTION_SERVICE = declareService({
  name: 'ingestion',
  handlers: [INGESTION],
  reads: [],
  // Archives that were uploaded go once their dataset is there.
  writes: ['datasets/', 'incoming/'],
});
