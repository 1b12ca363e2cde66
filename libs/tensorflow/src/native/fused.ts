/**
 * Gradients that TensorFlow has as one operator each and TensorFlow.js puts together from many: BatchNormalization with the
 * batch's statistics, and ReLU. Half of a training step's time, on the CPU (`npm run bench -- training`).
 */
import type { Operators } from '../call.js';
import type { TF, TfTensor } from '../tf.js';

interface Attribute {
  readonly name: string;
  readonly type: number;
  readonly value: unknown;
}

/** What the backend on TensorFlow's library offers beside TensorFlow.js's own interface. */
interface NativeBackend {
  readonly binding: Readonly<Record<`TF_${string}`, number>>;
  executeMultipleOutputs(
    op: string,
    attributes: readonly Attribute[],
    inputs: readonly TfTensor[],
    outputs: number,
  ): TfTensor[];
}

function nativeBackend(tf: TF): NativeBackend | undefined {
  const backend: object = tf.backend();
  return 'executeMultipleOutputs' in backend ? (backend as NativeBackend) : undefined;
}

/**
 * Stand-ins for operators in a training run, none where TensorFlow.js runs on something else.
 * @param moved receives the next running moments by the name of their initializer; it must keep them
 */
export function fusedOperators(tf: TF, moved: (running: string, next: TfTensor) => void): Operators {
  const backend = nativeBackend(tf);
  if (backend === undefined) return {};
  const { binding } = backend;
  const type = { name: 'T', type: binding.TF_ATTR_TYPE, value: binding.TF_FLOAT };

  return {
    Relu: (call) => {
      const relu = tf.customGrad((x, save) => {
        const y = tf.relu(x as TfTensor);
        (save as (tensors: TfTensor[]) => void)([y]);
        return {
          value: y,
          gradFunc: (g: TfTensor, [saved]: TfTensor[]) =>
            backend.executeMultipleOutputs('ReluGrad', [type], [g, saved], 1)[0],
        };
      });
      return call.pointwise((x) => relu(x));
    },

    BatchNormalization: (call) => {
      const attributes = [
        type,
        { name: 'U', type: binding.TF_ATTR_TYPE, value: binding.TF_FLOAT },
        { name: 'epsilon', type: binding.TF_ATTR_FLOAT, value: call.float('epsilon', 1e-5) },
        { name: 'data_format', type: binding.TF_ATTR_STRING, value: 'NHWC' },
        { name: 'is_training', type: binding.TF_ATTR_BOOL, value: true },
      ];
      const kept = call.float('momentum', 0.9);
      const move = (index: number, batch: TfTensor): void =>
        moved(call.node.inputs[index], tf.add(tf.mul(call.input(index), kept), tf.mul(batch, 1 - kept)));
      const none = tf.tensor1d([]);
      const normalise = tf.customGrad((x, scale, shift, save) => {
        const given = [x, scale, shift, none, none] as TfTensor[];
        const [y, mean, variance, ...reserved] = backend.executeMultipleOutputs(
          'FusedBatchNormV3',
          attributes,
          given,
          6,
        );
        move(3, mean);
        // Already unbiased.
        move(4, variance);
        (save as (tensors: TfTensor[]) => void)([x as TfTensor, scale as TfTensor, ...reserved]);
        return {
          value: y,
          gradFunc: (g: TfTensor, saved: TfTensor[]) =>
            backend.executeMultipleOutputs('FusedBatchNormGradV3', attributes, [g, ...saved], 5).slice(0, 3),
        };
      });
      return call.made(normalise(call.featureMap(0), call.input(1), call.input(2)), 'channelsLast');
    },
  };
}
