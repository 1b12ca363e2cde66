/** How well what was fitted on train reads dev: counted chunk by chunk, so that no feature is kept. */
import { BalancedAccuracy } from '@facet/adversary';
import { LIVE, type SampleLabels, SPOOF } from '@facet/contracts';
import type { FitResult, Readout } from '@facet/engine';
import { classOf, type FacetGroups, type Labelled, priorId } from './groupings.js';

interface Counted {
  readonly prior?: BalancedAccuracy;
  /** One per bit of a multi-label probe, else one. */
  readonly probe?: { readonly of: Labelled; readonly bits: readonly BalancedAccuracy[] };
}

function argmax(row: Float32Array): number {
  let best = 0;
  for (let i = 1; i < row.length; i++) if (row[i] > row[best]) best = i;
  return best;
}

export class Quality {
  /** What has to be read off each image. */
  readonly readouts: Readonly<Record<string, Readout>>;
  readonly #counted = new Map<string, Counted>();

  constructor(facets: readonly FacetGroups[], { priors, probes }: FitResult) {
    const readouts: Record<string, Readout> = {};
    for (const { facet, feature, probe } of facets) {
      const prior = priors[priorId(facet)];
      if (prior !== undefined)
        readouts[`prior/${facet}`] = { feature, weights: prior.weights, bias: [prior.bias] };
      const fitted = Object.hasOwn(probes, facet) && probe !== undefined;
      if (fitted) readouts[`probe/${facet}`] = { feature, ...probes[facet] };
      this.#counted.set(facet, {
        ...(prior !== undefined && { prior: new BalancedAccuracy() }),
        ...(fitted && {
          probe: { of: probe, bits: Array.from({ length: probe.bits }, () => new BalancedAccuracy()) },
        }),
      });
    }
    this.readouts = readouts;
  }

  /** Takes in what the readouts say of samples with these labels. */
  add(labels: readonly SampleLabels[], read: Readonly<Record<string, Float32Array>>): void {
    for (const [facet, { prior, probe }] of this.#counted) {
      const values = read[`prior/${facet}`];
      if (prior) labels.forEach((one, i) => prior.add(classOf(one), values[i] > 0 ? SPOOF : LIVE));
      if (probe) addProbe(probe, labels, read[`probe/${facet}`]);
    }
  }

  /** Balanced accuracy between live and spoof; null without a prior or without both classes on dev. */
  ofPrior(facet: string): number | null {
    return this.#counted.get(facet)?.prior?.value ?? null;
  }

  /** Mean over the bits of the balanced accuracy on the facet's own labels; null where dev has no two of them. */
  ofProbe(facet: string): number | null {
    const values = this.#counted.get(facet)?.probe?.bits.flatMap(({ value }) => value ?? []) ?? [];
    return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
  }
}

function addProbe(
  { of, bits }: NonNullable<Counted['probe']>,
  labels: readonly SampleLabels[],
  logits: Float32Array,
): void {
  const outputs = logits.length / labels.length;
  labels.forEach((one, i) => {
    const row = logits.subarray(i * outputs, (i + 1) * outputs);
    if (of.kind === 'probe') bits[0].add(of.index(one, 0), argmax(row));
    else bits.forEach((bit, k) => bit.add(of.index(one, k), row[k] > 0 ? 1 : 0));
  });
}
