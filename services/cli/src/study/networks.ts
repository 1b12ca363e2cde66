/**
 * The networks of a study: every backbone with every set of features, by every defence, under every seed, each with a name
 * of its own.
 */
import { digestOf } from '@facet/catalog';
import {
  type AdversarialTraining,
  AUXILIARY_FACETS,
  type BackboneName,
  type Ref,
  type Study,
  type TrainingRecipe,
} from '@facet/contracts';

export interface StudyNetwork {
  readonly model: Ref;
  readonly backbone: BackboneName;
  /** "none", "all", or the facets' names. */
  readonly features: string;
  /** Its name, in studies that compare some. */
  readonly defence?: string;
  readonly seed: number;
  readonly recipe: TrainingRecipe;
}

export const NO_FEATURES = 'none';

export function featuresName(features: readonly string[]): string {
  if (features.length === 0) return NO_FEATURES;
  return features.length === AUXILIARY_FACETS.length ? 'all' : features.join('+');
}

/** Name and version of the study's data: another dataset has another version. */
export const datasetOf = ({ dataset }: Study): Ref => ({
  name: 'study-faces',
  version: digestOf(dataset).slice(0, 16),
});

/** A recipe's own adversarial training, or what takes its place under each name. */
function defencesOf({
  defences,
}: Study): { defence?: string; instead?: { adversarial?: AdversarialTraining } }[] {
  if (defences === undefined) return [{}];
  return Object.entries(defences).map(([defence, adversarial]) => ({
    defence,
    instead: adversarial === null ? {} : { adversarial },
  }));
}

/** In the order in which they are trained: whole rounds of a seed, so that an interrupted study can already be read. */
export function networksOf(study: Study): StudyNetwork[] {
  return study.seeds.flatMap((seed) =>
    study.backbones.flatMap((backbone) =>
      study.features.flatMap((facets) =>
        defencesOf(study).map(({ defence, instead }): StudyNetwork => {
          const ordered = AUXILIARY_FACETS.filter((facet) => facets.includes(facet));
          const { adversarial, ...common } = study.recipes[backbone] ?? study.recipe;
          const recipe: TrainingRecipe = {
            schema: 'facet.recipe/v1',
            seed,
            backbone,
            facets: ordered,
            ...common,
            ...(instead ?? (adversarial && { adversarial })),
          };
          const features = featuresName(ordered);
          // What the weights follow from: a changed study trains other versions and finds those that it shares.
          const version = digestOf({ dataset: study.dataset, recipe }).slice(0, 16);
          const model = { name: `study-${backbone}`, version };
          return { model, backbone, features, ...(defence !== undefined && { defence }), seed, recipe };
        }),
      ),
    ),
  );
}
