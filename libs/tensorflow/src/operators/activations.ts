/** Functions of one number. They keep the layout that their input has. */
import type { Call, Operators } from '../call.js';
import type { TF, TfTensor } from '../tf.js';

type Pointwise = (tf: TF, x: TfTensor, call: Call) => TfTensor;

const operator =
  (apply: Pointwise) =>
  (call: Call): ReturnType<Call['pointwise']> =>
    call.pointwise((x) => apply(call.tf, x, call));

const hardSigmoid = (tf: TF, x: TfTensor, alpha: number, beta: number): TfTensor =>
  tf.clipByValue(tf.add(tf.mul(x, alpha), beta), 0, 1);

function gelu(tf: TF, x: TfTensor, call: Call): TfTensor {
  const inner =
    call.string('approximate', 'none') === 'tanh'
      ? tf.tanh(tf.mul(Math.sqrt(2 / Math.PI), tf.add(x, tf.mul(0.044715, tf.mul(x, tf.mul(x, x))))))
      : tf.erf(tf.mul(x, Math.SQRT1_2));
  return tf.mul(tf.mul(x, 0.5), tf.add(inner, 1));
}

function clip(tf: TF, x: TfTensor, call: Call): TfTensor {
  const bound = (index: number, attribute: string, otherwise: number): number =>
    call.optional(index)?.dataSync()[0] ?? call.float(attribute, otherwise);
  const low = bound(1, 'min', -Infinity);
  return tf.clipByValue(x, low, Math.max(low, bound(2, 'max', Infinity)));
}

/** The slope's shape is broadcast to the input's, so this one works on ONNX's layout where they differ. */
function prelu(call: Call): ReturnType<Call['pointwise']> {
  const { tf } = call;
  const slope = call.value(1);
  const layout = call.value(0).rank === 4 && slope.rank === 4 ? call.value(0).layout : 'plain';
  const perChannel =
    call.value(0).layout === 'channelsLast' && slope.rank === 3 && slope.size === slope.plain.shape[0];
  const x = perChannel ? call.value(0).channelsLast : call.value(0).in(layout);
  const slopes = perChannel ? tf.reshape(slope.plain, [-1]) : slope.in(layout);
  const y = tf.sub(tf.relu(x), tf.mul(slopes, tf.relu(tf.neg(x))));
  return call.made(y, perChannel ? 'channelsLast' : layout);
}

export const ACTIVATIONS: Operators = {
  Identity: operator((tf, x) => tf.clone(x)),
  Relu: operator((tf, x) => tf.relu(x)),
  LeakyRelu: operator((tf, x, call) => tf.leakyRelu(x, call.float('alpha', 0.01))),
  PRelu: prelu,
  Elu: operator((tf, x, call) =>
    tf.add(tf.relu(x), tf.mul(call.float('alpha', 1), tf.expm1(tf.neg(tf.relu(tf.neg(x)))))),
  ),
  Tanh: operator((tf, x) => tf.tanh(x)),
  Sigmoid: operator((tf, x) => tf.sigmoid(x)),
  HardSigmoid: operator((tf, x, call) =>
    hardSigmoid(tf, x, call.float('alpha', 0.2), call.float('beta', 0.5)),
  ),
  HardSwish: operator((tf, x) => tf.mul(x, hardSigmoid(tf, x, 1 / 6, 0.5))),
  Softplus: operator((tf, x) => tf.softplus(x)),
  Gelu: operator(gelu),
  Erf: operator((tf, x) => tf.erf(x)),
  Exp: operator((tf, x) => tf.exp(x)),
  Log: operator((tf, x) => tf.log(x)),
  Neg: operator((tf, x) => tf.neg(x)),
  Abs: operator((tf, x) => tf.abs(x)),
  Sqrt: operator((tf, x) => tf.sqrt(x)),
  Reciprocal: operator((tf, x) => tf.reciprocal(x)),
  Clip: operator(clip),
  /** Inference; a training run gives its own rule. */
  Dropout: operator((tf, x, call) =>
    call.node.outputs.length > 1 && call.node.outputs[1] !== ''
      ? call.refuse('has a mask output, which has no rule')
      : tf.clone(x),
  ),
};
