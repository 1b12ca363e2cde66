/** What every backbone gives to the heads. Each family is one file that reads from the image down to the last map. */
import { type Layers, type Maps } from '../layers.js';

/** What the heads stand on. */
export interface Trunk {
  /** The last feature map. */
  readonly last: Maps;
  /** A mid-depth map through which every path from the pixels passes: where texture is read. */
  readonly texture: Maps;
}

/**
 * The parameters of a published architecture have the names that torchvision gives them, behind `trunk.`, so that
 * weights trained elsewhere find their place.
 */
export interface Backbone {
  /** Height and width of the pixels are a multiple of this many, since so often they are halved. */
  readonly multiple: number;
  /** Builds the trunk over pixels [N, 3, size, size] in [0,1]. */
  build(layers: Layers, pixels: Maps): Trunk;
}

/** Height and width from which on the smallest backbone has a map left. */
export const SMALLEST_SIZE = 16;
