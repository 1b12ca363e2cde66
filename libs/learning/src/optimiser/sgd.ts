/**
 * Stochastic gradient descent with momentum and weight decay, as PyTorch defines it
 * (https://docs.pytorch.org/docs/stable/generated/torch.optim.SGD.html, dampening 0):
 * m = momentum m + g + decay w, then w = w - rate m; with Nesterov's momentum w = w - rate (g + decay w + momentum m).
 */
import { type Optimiser, zeros } from './optimiser.js';

export interface SgdConfig {
  readonly momentum: number;
  readonly nesterov: boolean;
  readonly weightDecay: number;
}

export const sgd = ({ momentum, nesterov, weightDecay }: SgdConfig): Optimiser => ({
  memory: ['momentum'],
  initial: zeros,
  update({ weight, nextWeight, gradient, memory: [old], nextMemory: [next], decays }, { learningRate }) {
    const decay = decays ? weightDecay : 0;
    for (let i = 0; i < weight.length; i++) {
      const pull = gradient[i] + decay * weight[i];
      const velocity = momentum * old[i] + pull;
      next[i] = velocity;
      nextWeight[i] = weight[i] - learningRate * (nesterov ? pull + momentum * velocity : velocity);
    }
  },
});
