/** How ONNX Runtime sessions are opened, here and by whoever measures them. */
import type { InferenceSession } from 'onnxruntime-node';
import type { Provider } from './settings.js';

/**
 * One intra-op thread, since a worker per core beats threads inside a session. `'constant'` lays constant convolution
 * weights out for the processor; `'fed'` is for training graphs, whose weights are inputs and would only be reordered at
 * every step.
 */
export const sessionOptions = (
  weights: 'constant' | 'fed',
  provider: Provider,
): InferenceSession.SessionOptions => ({
  executionProviders: provider === 'cpu' ? ['cpu'] : [provider, 'cpu'],
  graphOptimizationLevel: weights === 'constant' ? 'all' : 'extended',
  executionMode: 'sequential',
  // A plan of one block comes on top of the blocks of the first run: twice the memory, and no time won.
  enableMemPattern: false,
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  // Refusals come back as errors; printed as well they would stand between the lines of a log. Fatal ones are printed.
  logSeverityLevel: 4,
});
