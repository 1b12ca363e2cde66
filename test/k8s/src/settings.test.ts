/** A misspelt variable is no error for anybody: it is simply not read. So each that a manifest sets must be known. */
import { programsFound } from '@facet/local';
import { ServiceConfig } from '@facet/runtime';
import { expect, it } from 'vitest';
import { build, environmentOf, VARIANTS, workloadsOf } from './build.fixture.js';

const OF_EVERY_SERVICE = [...Object.keys(ServiceConfig.shape), 'FACET_LOG_LEVEL', 'FACET_LOG_FORMAT'];
const OF_ONE: Readonly<Record<string, readonly string[]>> = { gateway: ['FACET_LINK_KEY'] };

it.skipIf(!programsFound('kustomize')).each(VARIANTS)('%s sets no variable that nobody reads', (variant) => {
  const manifests = build(variant);
  for (const workload of workloadsOf(manifests)) {
    const { name } = workload.metadata;
    const known = [...OF_EVERY_SERVICE, ...(OF_ONE[name] ?? [])];
    const set = Object.keys(environmentOf(workload, manifests)).filter((variable) =>
      variable.startsWith('FACET_'),
    );
    const unknown = set.filter((variable) => !known.includes(variable.replace(/_FILE$/, '')));
    expect(unknown, name).toEqual([]);
  }
});
