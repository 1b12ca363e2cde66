/**
 * A tensor of the graph in one or both layouts of a feature map. ONNX is NCHW, TensorFlow's kernels are NHWC:
 * a value keeps what its operator made and is transposed at most once, and only when somebody asks for the
 * other layout, so that a chain of convolutions, normalisations and activations is never transposed inside.
 */
import type { TF, TfTensor } from './tf.js';

export type Layout = 'plain' | 'channelsLast';

const TO_CHANNELS_LAST = [0, 2, 3, 1];
const TO_PLAIN = [0, 3, 1, 2];

export class Value {
  readonly #tf: TF;
  #plain: TfTensor | undefined;
  #channelsLast: TfTensor | undefined;

  constructor(tf: TF, tensor: TfTensor, layout: Layout = 'plain') {
    this.#tf = tf;
    if (layout === 'plain') this.#plain = tensor;
    else this.#channelsLast = tensor;
  }

  /** As ONNX has it: NCHW where it is a feature map. */
  get plain(): TfTensor {
    this.#plain ??= this.#tf.transpose(this.#channelsLast!, TO_PLAIN);
    return this.#plain;
  }

  /** NHWC; only for rank 4. */
  get channelsLast(): TfTensor {
    this.#channelsLast ??= this.#tf.transpose(this.#plain!, TO_CHANNELS_LAST);
    return this.#channelsLast;
  }

  /** The layout that costs nothing. */
  get layout(): Layout {
    return this.#channelsLast === undefined ? 'plain' : 'channelsLast';
  }

  in(layout: Layout): TfTensor {
    return layout === 'plain' ? this.plain : this.channelsLast;
  }

  get rank(): number {
    return (this.#plain ?? this.#channelsLast!).rank;
  }

  get size(): number {
    return (this.#plain ?? this.#channelsLast!).size;
  }
}
