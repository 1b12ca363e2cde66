/** What the gateway takes, sends, reads and writes. */
import { declareHandler, declareService, VOCABULARY } from '@facet/runtime';

export const RECORDS = declareHandler(VOCABULARY, {
  name: 'gateway-records',
  consumes: [
    'evaluation.failed',
    'dataset.failed',
    'dataset.ingested',
    'training.requested',
    'training.completed',
    'training.failed',
  ],
  publishes: [],
  ackWaitMs: 30_000,
  attemptLimitMs: 60_000,
  maxDeliver: 10,
});

export const GATEWAY_SERVICE = declareService({
  name: 'gateway',
  handlers: [RECORDS],
  publishes: [
    'model.published',
    'evaluation.requested',
    'evaluation.cancelled',
    'training.requested',
    'ingestion',
  ],
  follows: ['FACET_EVENTS', 'FACET_DLQ'],
  clears: ['FACET_DLQ'],
  reads: [],
  // Deleting a dataset takes all that derives from it.
  writes: [
    'models/',
    'datasets/',
    'features/',
    'evaluations/',
    'trainings/',
    'standing/',
    'incoming/',
    'tokens/',
    'idempotency/',
    'audit/',
  ],
  // Signs links.
  secrets: ['link.key'],
});
