/** What a network's manifest and a recipe say about its losses, as the specification of its training step. */
import type { ModelManifest, TrainingRecipe } from '@facet/contracts';
import type { LossKind, TrainingSpec } from '@facet/onnx';

const KINDS = {
  classes: 'cross-entropy',
  'multi-label': 'binary-cross-entropy',
  map: 'binary-cross-entropy',
} as const satisfies Record<string, LossKind>;

/** What a training must know of its network. */
export interface TrainedNetwork extends Pick<ModelManifest, 'input' | 'facets'> {
  /** The tensor that each facet's loss is taken on. */
  readonly logits: Readonly<Record<string, string>>;
}

/**
 * One loss per facet that has a head, under the facet's name. A loss weighs 1 unless the recipe says otherwise:
 * every facet has a branch of its own, which a small weight would only slow down.
 */
export function trainingSpec(
  network: TrainedNetwork,
  recipe: Pick<TrainingRecipe, 'lossWeights'>,
): TrainingSpec {
  const weights: Partial<Record<string, number>> = recipe.lossWeights;
  return {
    input: network.input.name,
    channels: 3,
    height: network.input.height,
    width: network.input.width,
    losses: Object.entries(network.facets).flatMap(([name, { head }]) =>
      head === undefined
        ? []
        : [
            {
              name,
              kind: KINDS[head.kind],
              output: network.logits[name],
              target: `target/${name}`,
              mask: `mask/${name}`,
              weight: weights[name] ?? 1,
            },
          ],
    ),
  };
}
