/** The backbones by name. */
import type { BackboneName } from '@facet/contracts';
import { type Backbone, SMALLEST_SIZE } from './backbone.js';
import { densenet121, densenetSmall } from './densenet.js';
import { resnet18, resnet50, resnetSmall } from './resnet.js';
import { swinMicro, swinTiny } from './swin.js';
import { vgg16, vggSmall } from './vgg.js';

export const BACKBONES: Readonly<Record<BackboneName, Backbone>> = {
  'vgg-small': vggSmall,
  'resnet-small': resnetSmall,
  'densenet-small': densenetSmall,
  'swin-micro': swinMicro,
  'vgg-16': vgg16,
  'resnet-18': resnet18,
  'resnet-50': resnet50,
  'densenet-121': densenet121,
  'swin-t': swinTiny,
};

/** Why a backbone does not take images of that height and width, undefined where it does. */
export function misfit(backbone: BackboneName, size: number): string | undefined {
  const { multiple } = BACKBONES[backbone];
  const smallest = Math.max(SMALLEST_SIZE, multiple);
  if (size % multiple === 0 && size >= smallest) return undefined;
  return `${backbone} takes squares of a multiple of ${multiple}, at least ${smallest}, not ${size}`;
}
