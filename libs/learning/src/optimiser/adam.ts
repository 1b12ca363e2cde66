/**
 * Adam (Kingma and Ba, 2015) and AdamW (Loshchilov and Hutter, 2019), as PyTorch defines them
 * (https://docs.pytorch.org/docs/stable/generated/torch.optim.AdamW.html, without AMSGrad): with bias-corrected moments
 * m and v of the gradient, w = w - rate m / (sqrt(v) + epsilon). Adam adds decay w to the gradient; AdamW shrinks w by
 * rate decay w beside it, so that rare large gradients do not change how much a weight decays.
 */
import { type Optimiser, zeros } from './optimiser.js';

export interface AdamConfig {
  readonly kind: 'adam' | 'adamw';
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
}

export const adam = ({ kind, beta1, beta2, epsilon, weightDecay }: AdamConfig): Optimiser => ({
  memory: ['first-moment', 'second-moment'],
  initial: zeros,
  update({ weight, nextWeight, gradient, memory, nextMemory, decays }, { learningRate, step }) {
    const [first, second] = memory;
    const [nextFirst, nextSecond] = nextMemory;
    const decay = decays ? weightDecay : 0;
    const coupled = kind === 'adam' ? decay : 0;
    const shrink = kind === 'adamw' ? 1 - learningRate * decay : 1;
    const rate = learningRate / (1 - beta1 ** (step + 1));
    const correction = 1 / Math.sqrt(1 - beta2 ** (step + 1));
    for (let i = 0; i < weight.length; i++) {
      const g = gradient[i] + coupled * weight[i];
      const m = beta1 * first[i] + (1 - beta1) * g;
      const v = beta2 * second[i] + (1 - beta2) * g * g;
      nextFirst[i] = m;
      nextSecond[i] = v;
      nextWeight[i] = shrink * weight[i] - (rate * m) / (Math.sqrt(v) * correction + epsilon);
    }
  },
});
