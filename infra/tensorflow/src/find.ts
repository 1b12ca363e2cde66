/**
 * Where the addon lies. Its versions and kind are part of the folder's name, so that a new one is built beside the old; a
 * folder appears only once all of it is there.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder } from '@facet/local';

/** `cuda` computes on the CPU where no GPU is. */
export const ADDON_KINDS = ['cuda', 'cpu'] as const;
export type AddonKind = (typeof ADDON_KINDS)[number];

/** The Python package whose wheel holds the library, and what npm packages stand around it. */
export const VERSIONS = { tensorflow: '2.21.0', tfjs: '4.22.0', headers: '1.9.0' } as const;
export const WHEELS: Readonly<Record<AddonKind, string>> = { cpu: 'tensorflow-cpu', cuda: 'tensorflow' };

export interface Addon {
  readonly kind: AddonKind;
  /** A folder from which `@tensorflow/tfjs-node-gpu` can be required. */
  readonly folder: string;
  /** Of TensorFlow. */
  readonly version: string;
}

export const HOW_TO_BUILD = '"npm run tensorflow -- cpu" (or cuda) builds it';

export const addonFolder = (kind: AddonKind): string =>
  join(cacheFolder(), 'tensorflow', `${kind}-${VERSIONS.tensorflow}-tfjs-${VERSIONS.tfjs}`);

/** The one for GPUs before the other; undefined where none was built. */
export function findAddon(): Addon | undefined {
  const kind = ADDON_KINDS.find((one) => existsSync(addonFolder(one)));
  return kind && { kind, folder: addonFolder(kind), version: VERSIONS.tensorflow };
}
