/** The train split in memory as bytes, handed out as the batches that a training asks for. */
import type { Dataset } from '@facet/catalog';
import {
  ATTRIBUTES,
  ILLUMINATIONS,
  type ModelManifest,
  type SampleLabels,
  type Split,
  SPOOF_TYPES,
} from '@facet/contracts';
import { decodePng, resizeMap, type StoredSample, toPlanes } from '@facet/datasets';
import type { Named, SampleBatch, Samples, Target } from '@facet/learning';
import { InputError } from '@facet/runtime';

interface MapSize {
  readonly height: number;
  readonly width: number;
}

interface Row {
  readonly labels: SampleLabels;
  /** Planes, [3, height, width]. */
  readonly pixels: Uint8Array;
  /** By facet, at the size that the network predicts. */
  readonly maps: Named<Float32Array>;
}

/** The class of a sample for a facet, or -1 where it is unknown. */
function classIndex(facet: string, labels: SampleLabels): number {
  switch (facet) {
    case 'live':
      return labels.label === 'live' ? 0 : 1;
    case 'spoof-type':
      return SPOOF_TYPES.indexOf(labels.spoofType ?? ('' as never));
    case 'illumination':
      return ILLUMINATIONS.indexOf(labels.illumination ?? ('' as never));
    default:
      return -1;
  }
}

export class SplitSamples implements Samples {
  readonly channels = 3;

  private constructor(
    readonly height: number,
    readonly width: number,
    private readonly facets: ModelManifest['facets'],
    private readonly mapSizes: Named<MapSize>,
    private readonly rows: readonly Row[],
  ) {}

  get n(): number {
    return this.rows.length;
  }

  /**
   * Reads and decodes a split once. `mapSizes`: of each map head.
   * Errors: InputError where the split is empty, or its images are not of the network's size.
   */
  static async load(
    dataset: Dataset,
    split: Split,
    { input, facets }: Pick<ModelManifest, 'input' | 'facets'>,
    mapSizes: Named<MapSize>,
  ): Promise<SplitSamples> {
    const { name, size } = dataset.manifest;
    if (size === 'native' || size.height !== input.height || size.width !== input.width)
      throw new InputError(
        `dataset ${name} does not hold images of ${input.width}x${input.height}, which the network takes`,
        { field: 'dataset' },
      );
    const rows: Row[] = [];
    for await (const sample of dataset.samples(split)) rows.push(await rowOf(sample, input, mapSizes));
    if (rows.length === 0)
      throw new InputError(`dataset ${name} has no ${split} samples`, { field: 'dataset' });
    return new SplitSamples(input.height, input.width, facets, mapSizes, rows);
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
    for (const [facet, { head }] of Object.entries(this.facets)) {
      if (head === undefined) continue;
      const { target, mask } = this.#target(facet, head.kind, rows);
      targets[facet] = target;
      masks[facet] = mask;
    }
    return Promise.resolve({ pixels, targets, masks });
  }

  #target(
    facet: string,
    kind: 'classes' | 'multi-label' | 'map',
    rows: readonly Row[],
  ): { target: Target; mask: Float32Array } {
    if (kind === 'classes') {
      const classes = rows.map(({ labels }) => classIndex(facet, labels));
      const data = BigInt64Array.from(classes, (index) => BigInt(Math.max(0, index)));
      return { target: { kind, data }, mask: Float32Array.from(classes, (index) => Number(index >= 0)) };
    }
    if (kind === 'multi-label') {
      const data = new Float32Array(rows.length * ATTRIBUTES.length);
      rows.forEach(({ labels }, i) => {
        data.set(labels.attributes ?? [], i * ATTRIBUTES.length);
      });
      const mask = Float32Array.from(rows, ({ labels }) => Number(labels.attributes !== undefined));
      return { target: { kind, data }, mask };
    }
    const { height, width } = this.mapSizes[facet];
    const data = new Float32Array(rows.length * height * width);
    rows.forEach(({ maps }, i) => {
      if (facet in maps) data.set(maps[facet], i * height * width);
    });
    const mask = Float32Array.from(rows, ({ maps }) => Number(facet in maps));
    return { target: { kind, data, height, width }, mask };
  }
}

async function rowOf(sample: StoredSample, input: MapSize, mapSizes: Named<MapSize>): Promise<Row> {
  const { labels, png, depth, reflection } = sample;
  const { data, width, height } = await decodePng(png, 3, sample.key);
  if (width !== input.width || height !== input.height)
    throw new InputError(`image ${sample.key} is ${width}x${height}, not as the dataset says`, {
      field: 'dataset',
    });
  const maps: Record<string, Float32Array> = {};
  for (const [facet, map] of Object.entries({ depth, reflection })) {
    const size = mapSizes[facet] as MapSize | undefined;
    if (map !== undefined && size !== undefined)
      maps[facet] = resizeMap(await decodePng(map, 1, sample.key), size);
  }
  return { labels, pixels: toPlanes(data), maps };
}
