/** Normalisations keep the shape; what they check is that scale and shift fit. */
import type { TensorInfo } from '../graph.js';
import { broadcast, dimsText, sameDim, sameDims } from './dims.js';
import { type Rule, type Site } from './site.js';

function perChannel(at: Site, indices: readonly number[]): void {
  at.rank(0, 2, 32);
  const channels = at.dims(0)[1];
  for (const index of indices) {
    const dims = at.dims(index);
    if (dims.length !== 1 || !sameDim(dims[0], channels))
      at.fail('invalid', `input ${index} ${dimsText(dims)} for ${dimsText([channels])} channels`);
  }
}

/** In training mode the running mean and variance follow the output. */
export const batchNormalization: Rule = (at) => {
  perChannel(at, [1, 2, 3, 4]);
  return [at.input(0), at.input(3), at.input(4)];
};

export const instanceNormalization: Rule = (at) => {
  perChannel(at, [1, 2]);
  return [at.input(0)];
};

/** Scale and bias per channel since operator set 21, per group before. */
export const groupNormalization: Rule = (at) => {
  at.rank(0, 2, 32);
  const channels = at.fixed(at.dims(0)[1], 'the number of channels');
  const groups = at.int('num_groups');
  if (groups < 1 || channels % groups !== 0) at.fail('invalid', `${channels} channels in ${groups} groups`);
  for (const index of [1, 2]) {
    const dims = at.dims(index);
    if (dims.length !== 1 || (dims[0] !== channels && dims[0] !== groups))
      at.fail('invalid', `input ${index} ${dimsText(dims)} for ${channels} channels in ${groups} groups`);
  }
  return [at.input(0)];
};

/** LayerNormalization and RMSNormalization; mean and inverse deviation follow the output. */
export const layerNormalization: Rule = (at) => {
  const dims = at.dims(0);
  const axis = at.axis(at.int('axis', -1), dims.length);
  for (const index of [1, 2].filter((i) => at.has(i))) {
    if (!sameDims(broadcast([dims, at.dims(index)]) ?? [], dims))
      at.fail('invalid', `input ${index} ${dimsText(at.dims(index))} does not fit ${dimsText(dims)}`);
  }
  const statistics: TensorInfo = { type: 'float32', dims: dims.map((dim, i) => (i < axis ? dim : 1)) };
  return [at.input(0), statistics, statistics];
};
