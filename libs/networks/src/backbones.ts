/** The backbones by name. */
import { type Backbone } from './backbone.js';
import { resnetSmall } from './resnet-small.js';

const TABLE = { 'resnet-small': resnetSmall } satisfies Record<string, Backbone>;

export type BackboneName = keyof typeof TABLE;
export const BACKBONES: Readonly<Record<BackboneName, Backbone>> = TABLE;
