// Dataset readers, synthetic faces and WebDataset shards.
export { carryChange, type View } from './crop/carry.js';
export { cropFace, type Size } from './crop/face.js';
export { resizeMap } from './crop/map.js';
export { toBytes, toPlanes, toTensor } from './crop/tensor.js';
export { DatasetError } from './errors.js';
export { IMAGE_LIMITS, type ImageLimits } from './folder/image.js';
export { readFolder, storeSample, type Folder, type FolderSample } from './folder/read.js';
export { packPng } from './png-pack.js';
export { decodePng, encodePng, MAX_IMAGE_PIXELS, type RawImage } from './png.js';
export { readShard, SHARD_LIMITS, type ShardLimits } from './shards/read.js';
export type { StoredSample } from './shards/sample.js';
export { writeShard } from './shards/write.js';
export type { Variant } from './synthetic/background.js';
export {
  storeFace,
  syntheticDataset,
  syntheticJobs,
  type SyntheticJob,
  type SyntheticSpec,
} from './synthetic/dataset.js';
export { FULL_REFLECTION, makeFace, type FaceOptions, type SyntheticSample } from './synthetic/face.js';
export { SYNTHETIC_SPECIES, type SyntheticSpecies } from './synthetic/media.js';
export { SYNTHETIC_ATTRIBUTES } from './synthetic/person.js';
export { shiftImage, shiftSample } from './shift.js';
