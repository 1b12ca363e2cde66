/** The dataset that a training command names: a folder of labelled images, a file that describes one, or one that is stored. */
import { stat } from 'node:fs/promises';
import { digestOf, findDataset } from '@facet/catalog';
import { api, type DatasetSource, formatRef, Ref } from '@facet/contracts';
import { readFolder } from '@facet/datasets';
import { InputError } from '@facet/runtime';
import type { ObjectStore } from '@facet/store';
import { readDocument } from '../inputs.js';

export interface ChosenDataset {
  readonly dataset: Ref;
  /** What it is made of; undefined where it is stored already. */
  readonly source?: DatasetSource;
}

/** The same task under another camera: other faces and backgrounds where they are made, other pictures where they are not. */
export function shiftedFrom({ dataset, source }: ChosenDataset): Required<ChosenDataset> {
  const shifted: DatasetSource =
    source?.kind === 'synthetic'
      ? {
          ...source,
          // Other people than those that were trained on.
          seed: source.seed + 1_000_003,
          variant: 'shifted',
          samples: { ...source.samples, train: 0 },
        }
      : { kind: 'shifted', of: dataset, seed: 0 };
  const version = digestOf({ dataset, shifted }).slice(0, 16);
  return { dataset: { name: `${dataset.name.slice(0, 54)}-shifted`, version }, source: shifted };
}

/** `name@version`. Errors: InputError. */
export function refOf(text: string, option: string): Ref {
  const [name, version, ...more] = text.split('@');
  const parsed = Ref.safeParse({ name, version });
  if (!parsed.success || more.length > 0)
    throw new InputError(`"${text}" is no NAME@VERSION`, { field: option });
  return parsed.data;
}

/** Errors: InputError where it is none of the three. */
export async function chooseDataset(text: string): Promise<ChosenDataset> {
  const found = await stat(text).catch(() => undefined);
  if (found?.isDirectory()) {
    const { name, version } = (await readFolder(text)).manifest;
    return { dataset: { name, version }, source: { kind: 'folder', path: text } };
  }
  if (found !== undefined) {
    const { name, version, source } = await readDocument(text, api.DatasetOrder);
    return { dataset: { name, version }, source };
  }
  if (!text.includes('@'))
    throw new InputError(
      'is no folder with dataset.json, no file that describes a dataset, and no NAME@VERSION',
      {
        file: text,
      },
    );
  return { dataset: refOf(text, '--dataset') };
}

/** Errors: InputError where a dataset that has no source is not stored. */
export async function requireStored(store: ObjectStore, { dataset, source }: ChosenDataset): Promise<void> {
  if (source === undefined && (await findDataset(store, dataset)) === undefined)
    throw new InputError(`there is no dataset ${formatRef(dataset)} in the store`, { field: '--dataset' });
}
