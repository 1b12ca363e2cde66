/** What a split of its own says of a network between two epochs. */
import type { AdversarialTraining, Validation } from '@facet/contracts';
import { auc } from '@facet/metrics';
import { Random } from '@facet/random';
import type { Validator } from './inner.js';
import type { Samples } from './samples.js';

export type Validate = (epoch: number, signal?: AbortSignal) => Promise<Validation>;

/** Samples that are scored at a time. */
const CHUNK = 256;

/**
 * AUC on all samples, and under the recipe's own attack at its whole epsilon. The same random starts in every epoch, so
 * that epochs differ in the network alone.
 */
export const validateOn =
  (validator: Validator, samples: Samples, seed: number, adversarial?: AdversarialTraining): Validate =>
  async (_epoch, signal) => {
    const clean: { score: number; live: boolean }[] = [];
    const attacked: { score: number; live: boolean }[] = [];
    for (let from = 0; from < samples.n; from += CHUNK) {
      const indices = Uint32Array.from({ length: Math.min(CHUNK, samples.n - from) }, (_, i) => from + i);
      const drawn = await samples.get(indices, signal);
      const attack = adversarial && {
        epsilon: adversarial.threat.epsilon,
        seed: new Random(seed, 'validation', from).integer(2 ** 32),
      };
      const scores = await validator.score(drawn, attack, signal);
      drawn.labels.forEach((label, i) => {
        clean.push({ score: scores.clean[i], live: label === 0 });
        if (scores.attacked) attacked.push({ score: scores.attacked[i], live: label === 0 });
      });
    }
    return { auc: auc(clean), robustAuc: adversarial === undefined ? null : auc(attacked) };
  };
