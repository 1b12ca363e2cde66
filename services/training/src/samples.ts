/** A split in memory as bytes, cropped as the network's manifest says, handed out as the batches that a training asks for. */
import type { Dataset } from '@facet/catalog';
import type { DatasetManifest, ModelManifest, Split } from '@facet/contracts';
import { cropFace, decodePng, resizeMap, type StoredSample, toPlanes } from '@facet/datasets';
import { machineMemoryBytes } from '@facet/engine';
import type { Named, SampleBatch, Samples, Target } from '@facet/learning';
import { InputError } from '@facet/runtime';
import { compared, type Labelled, labelOf, type TargetSpec } from './targets.js';

/** Of the machine's memory; the rest is for the network. */
const SHARE_OF_MEMORY = 0.5;

export type View = Pick<ModelManifest, 'input' | 'crop'>;

export interface Row extends Labelled {
  /** Planes, [3, height, width]. */
  readonly pixels: Uint8Array;
}

export class SplitSamples implements Samples {
  readonly channels = 3;
  readonly height: number;
  readonly width: number;

  constructor(
    { input }: View,
    private readonly targets: Named<TargetSpec>,
    readonly rows: readonly Row[],
  ) {
    this.height = input.height;
    this.width = input.width;
  }

  get n(): number {
    return this.rows.length;
  }

  /**
   * Reads and decodes a split once.
   * Errors: InputError where it has no live or no spoof samples, or does not fit into memory.
   */
  static async load(
    dataset: Dataset,
    split: Split,
    view: View,
    targets: Named<TargetSpec>,
  ): Promise<SplitSamples> {
    const { name, size } = dataset.manifest;
    checkMemory(name, dataset.count(split), view);
    const rows: Row[] = [];
    for await (const sample of dataset.samples(split)) rows.push(await rowOf(sample, view, targets, size));
    const live = rows.filter(({ labels }) => labels.label === 'live').length;
    if (live === 0 || live === rows.length) {
      const held = rows.length === 0 ? 'no samples' : live === 0 ? 'no live samples' : 'no spoof samples';
      throw new InputError(`dataset ${name} has ${held} in its split "${split}"`, { field: 'dataset' });
    }
    return new SplitSamples(view, targets, rows);
  }

  get(indices: Uint32Array): Promise<SampleBatch> {
    const rows = Array.from(indices, (index) => this.rows[index]);
    const size = 3 * this.height * this.width;
    const pixels = new Float32Array(rows.length * size);
    rows.forEach((row, i) => {
      for (let j = 0; j < size; j++) pixels[i * size + j] = row.pixels[j] / 255;
    });
    const targets: Record<string, Target> = {};
    const masks: Record<string, Float32Array> = {};
    for (const [name, spec] of Object.entries(this.targets)) {
      const { target, mask } = compared(spec, rows);
      targets[name] = target;
      masks[name] = mask;
    }
    return Promise.resolve({
      pixels,
      labels: Uint8Array.from(rows, ({ labels }) => labelOf(labels)),
      targets,
      masks,
    });
  }
}

/** Errors: InputError that says how much is needed. */
function checkMemory(name: string, samples: number, { input }: View): void {
  const bytes = samples * 3 * input.height * input.width;
  const room = SHARE_OF_MEMORY * machineMemoryBytes();
  if (bytes <= room) return;
  const mib = (n: number): number => Math.ceil(n / 2 ** 20);
  throw new InputError(
    `dataset ${name} needs ${mib(bytes)} MiB at ${input.width}x${input.height}, and a training may hold ${mib(room)} ` +
      'on this machine; take fewer samples, a smaller size, or more memory',
    { field: 'dataset' },
  );
}

/** An image at the network's input, as planes. */
async function planesOf(
  { key, png, box }: StoredSample,
  view: View,
  size: DatasetManifest['size'],
): Promise<Uint8Array> {
  const image = await decodePng(png, 3, key);
  if (size !== 'native' && (image.width !== size.width || image.height !== size.height))
    throw new InputError(`image ${key} is ${image.width}x${image.height}, not as the dataset says`, {
      field: 'dataset',
    });
  const { height, width } = view.input;
  const whole = box === undefined && image.height === height && image.width === width;
  return toPlanes(whole ? image.data : cropFace(image, box, view.crop, view.input));
}

async function rowOf(
  sample: StoredSample,
  view: View,
  targets: Named<TargetSpec>,
  size: DatasetManifest['size'],
): Promise<Row> {
  const { labels, box } = sample;
  const maps: Record<string, Float32Array> = {};
  for (const spec of Object.values(targets)) {
    if (spec.kind !== 'map') continue;
    // A map lies over the whole image; where a box is cut out of it, it says nothing about the crop.
    const stored = { depth: sample.depth, reflection: sample.reflection }[spec.facet];
    if (stored !== undefined && box === undefined)
      maps[spec.facet] = resizeMap(await decodePng(stored, 1, sample.key), spec);
  }
  return { labels, pixels: await planesOf(sample, view, size), maps };
}
