/** What every backbone gives to the heads. Each backbone is one file that reads from the image down to the last map. */
import { type Layers, type Maps } from './layers.js';

/** What the heads stand on. */
export interface Trunk {
  /** The last feature map. */
  readonly last: Maps;
  /** A mid-depth map through which every path from the pixels passes: where texture is read. */
  readonly texture: Maps;
}

/** Builds the trunk over pixels in [0,1]; its stages are tensors called `trunk.0`, `trunk.1`, ... */
export type Backbone = (layers: Layers, pixels: Maps) => Trunk;
