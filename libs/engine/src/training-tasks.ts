/** What a training asks of a worker: parts of steps, attacks on the network as it stands, its scores and its priors. */
import type { AttackedModel } from '@facet/adversary';
import type { InnerSearch, ThreatModel } from '@facet/contracts';
import type {
  AttackedRows,
  LabelledBatch,
  Layout,
  Priors,
  SampleBatch,
  TrainingBatch,
  UpdateOptions,
  UpdateState,
  Updating,
} from '@facet/learning';
import type { TrainingSpec } from '@facet/onnx';

/** A network in training. */
export interface TrainedGraph {
  /** Names the compiled graphs; sessions are cached under it. */
  readonly id: string;
  /** The inference graph over `pixels`, as a file. */
  readonly model: Uint8Array;
  readonly spec: TrainingSpec;
  /** Weights and running moments as `layoutOf` lays them out; only read. */
  readonly state: Float32Array;
}

export interface TrainingPartTask extends TrainedGraph {
  /** Where this part leaves its gradients and next running moments. */
  readonly given: Float32Array;
  /** Its pixels lie in shared memory. */
  readonly batch: TrainingBatch;
}

/** What attacks know of the network: its decision, its facets without what is fitted to them, its texture. */
export interface Attackable {
  readonly attacked: AttackedModel;
  readonly search: InnerSearch;
  readonly norm: ThreatModel['norm'];
}

export interface PerturbPartTask extends TrainedGraph, Attackable {
  readonly part: number;
  /** Its pixels lie in shared memory. */
  readonly batch: LabelledBatch;
  readonly groups: readonly AttackedRows[];
  readonly epsilon: number;
  readonly seed: number;
  readonly priors: Priors;
  /** Names the priors; sessions that hold them are cached under it. */
  readonly fit: number;
}

export interface ScoreTask extends TrainedGraph {
  readonly network: Attackable;
  /** [n, 3, height, width] in [0,1]. */
  readonly pixels: Float32Array;
  /** 0 live, 1 spoof. */
  readonly labels: Uint8Array;
  /** Of a direct attack by the network's search. */
  readonly attack?: { readonly epsilon: number; readonly seed: number; readonly first: number };
}

export interface FitPriorsTask extends TrainedGraph {
  readonly network: Attackable;
  readonly samples: Pick<SampleBatch, 'pixels' | 'labels'>;
}

/** Some weights of a layout, from and to. */
type Range = readonly [number, number];

export interface NormsTask {
  readonly layout: Layout;
  readonly parts: readonly Float32Array[];
  readonly weights: Range;
}

export interface UpdateTask extends UpdateState {
  readonly layout: Layout;
  readonly updating: Updating;
  readonly weights: Range;
  /** Whether the running moments are this piece's to update. */
  readonly moments: boolean;
  readonly options: UpdateOptions;
}
