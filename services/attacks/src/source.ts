/** Puts together what an attack needs of a model: its file, its facets, and what the features service fitted. */
import type { AttackedFacet } from '@facet/adversary';
import { fittedTo, type PublishedModel, type StoredFeatures, TEXTURE_PRIOR } from '@facet/catalog';
import { type AttackSource, probeTensor, share } from '@facet/engine';

/** `fit` names the features, for caches. */
export function attackSource(model: PublishedModel, features: StoredFeatures, fit: string): AttackSource {
  const { summary, probes } = features;
  const facets = summary.facets.map(({ facet, source, feature }): AttackedFacet => {
    const probe = probes[facet];
    const head =
      source === 'probe' && probe !== undefined
        ? {
            output: probeTensor(facet),
            kind: facet === 'attributes' ? ('multi-label' as const) : ('classes' as const),
          }
        : model.manifest.facets[facet]?.head;
    return {
      facet,
      source,
      feature,
      ...(head === undefined ? {} : { head }),
      ...fittedTo(features, facet),
    };
  });
  return {
    digest: model.digest,
    bytes: share(model.bytes),
    manifest: model.manifest,
    fit,
    attacked: {
      input: model.manifest.input,
      output: model.manifest.output,
      facets,
      texture: { tensor: summary.texture, ...fittedTo(features, TEXTURE_PRIOR) },
    },
    probes: summary.facets.flatMap(({ facet, source, feature }) =>
      source === 'probe' && probes[facet] !== undefined ? [{ facet, feature, probe: probes[facet] }] : [],
    ),
  };
}
