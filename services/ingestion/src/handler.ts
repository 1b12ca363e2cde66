/** Takes ingestion jobs: a source becomes a stored dataset, and that is a fact. */
import { formatRef } from '@facet/contracts';
import { defineHandler, VOCABULARY } from '@facet/runtime';
import { inSpan, record } from '@facet/telemetry';
import { INGESTION } from './declaration.js';
import { ingest, type IngestDependencies } from './ingest.js';

export const ingestionHandler = (dependencies: IngestDependencies) =>
  defineHandler(VOCABULARY, {
    ...INGESTION,
    concurrency: 1,
    async handle({ data: { dataset, source } }, { signal, progress }) {
      const about = { 'facet.dataset': formatRef(dataset), 'facet.source': source.kind };
      let ingested = 0;
      const { digest } = await inSpan('ingest', about, () =>
        ingest(dependencies, dataset, source, {
          signal,
          onProgress: (done, total) => {
            record('facet.images', done - ingested, { stage: 'ingestion' });
            ingested = done;
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
