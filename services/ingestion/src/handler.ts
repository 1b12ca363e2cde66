/** Takes ingestion jobs: a source becomes a stored dataset, and that is a fact. */
import { formatRef } from '@facet/contracts';
import { defineHandler, VOCABULARY } from '@facet/runtime';
import { inSpan } from '@facet/telemetry';
import { ingest, type IngestDependencies } from './ingest.js';

const ATTEMPT_LIMIT_MS = 12 * 3_600_000;

export const ingestionHandler = (dependencies: IngestDependencies) =>
  defineHandler(VOCABULARY, {
    name: 'ingestion',
    consumes: ['ingestion'],
    pool: 'cpu',
    concurrency: 1,
    ackWaitMs: 30_000,
    attemptLimitMs: ATTEMPT_LIMIT_MS,
    maxDeliver: 3,
    async handle({ data: { dataset, source } }, { signal, progress }) {
      const about = { 'facet.dataset': formatRef(dataset), 'facet.source': source.kind };
      const { digest } = await inSpan('ingest', about, () =>
        ingest(dependencies, dataset, source, {
          signal,
          onProgress: (done, total) => {
            progress.report({ step: 'dataset', done, total, unit: 'images' });
          },
        }),
      );
      return [{ type: 'dataset.ingested', subject: formatRef(dataset), data: { dataset, digest } }];
    },
    onGivenUp: ({ data: { dataset } }, { message }) => [
      { type: 'dataset.failed', subject: formatRef(dataset), data: { dataset, reason: message } },
    ],
  });
