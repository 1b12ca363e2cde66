/**
 * TensorFlow's own library under TensorFlow.js, where its addon was built on this machine. A process loads it once and keeps
 * it, and must not load another build of TensorFlow.js beside it.
 */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import util from 'node:util';
import { findAddon, HOW_TO_BUILD } from '@facet/tensorflow-addon';
import type { TF } from '../tf.js';

/** The addon is not there, or cannot be loaded; the message says what to do. */
export class NoAddon extends Error {
  override readonly name = 'NoAddon';
}

/** Gone from Node 23; TensorFlow.js still asks them. */
const GONE = {
  isNullOrUndefined: (value: unknown): boolean => value === null || value === undefined,
  isArray: Array.isArray,
};

/** @throws NoAddon */
export function loadNative(): TF {
  const addon = findAddon();
  if (addon === undefined) throw new NoAddon(`TensorFlow's addon is not built; ${HOW_TO_BUILD}`);
  for (const [name, test] of Object.entries(GONE))
    if (!(name in util)) Object.defineProperty(util, name, { value: test, configurable: true });
  // Read when the library is loaded: without it every process prints what its build might do better.
  process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '2';
  try {
    return createRequire(join(addon.folder, 'package.json'))('@tensorflow/tfjs-node-gpu') as TF;
  } catch (cause) {
    throw new NoAddon(
      `TensorFlow's addon in ${addon.folder} cannot be loaded (${(cause as Error).message}); delete that folder, then ` +
        HOW_TO_BUILD,
      { cause },
    );
  }
}
