/** What the main thread asks of a worker: task names with their inputs and results, shared by both sides. */
import type { LinearPrior, LinearProbe, MomentsData } from '@facet/adversary';
import type { Box, ModelManifest, ObjectiveName, SearchConfig, ThreatModel } from '@facet/contracts';
import type { Priors, Scores } from '@facet/learning';
import type { GradientResult, GradientTask, Inspection, InspectTask } from './inspection.js';
import type { AttackSource, ModelFile, ModelSource } from './model-source.js';
import type { Provider } from './settings.js';
import type {
  FitPriorsTask,
  NormsTask,
  PerturbPartTask,
  ScoreTask,
  TrainingPartTask,
  UpdateTask,
} from './training-tasks.js';

/** An image as it is stored: PNG bytes, and where the face is in it. */
export interface Photo {
  readonly png: Uint8Array;
  readonly box?: Box;
  /** What another model was shown of this photograph under attack. */
  readonly attacked?: AttackedCrop;
}

/** An adversarial image at its own model's input size, and what that model sees of a photograph. */
export interface AttackedCrop {
  readonly png: Uint8Array;
  readonly view: Pick<ModelManifest, 'crop' | 'input'>;
}

/** Images for a model. `prepared` ones have its input size already; others are cropped as its manifest says. */
export interface Photos {
  readonly photos: readonly Photo[];
  readonly prepared: boolean;
}

/** What checking a model tells about it. */
export interface ModelFacts {
  readonly inputs: readonly string[];
  readonly opset: number;
  readonly parameters: number;
  /** A mid-depth feature map that every facet and the decision pass through. */
  readonly texture: string;
  /** Pooled length of each facet's feature. */
  readonly features: Readonly<Record<string, number>>;
  /** Facets, the decision among them, whose own loss has no gradient in the pixels: the node that is in the way. */
  readonly withoutGradient: Readonly<Record<string, string>>;
}

export interface AttackTask {
  readonly source: AttackSource;
  /** undefined: the decision itself. */
  readonly facet: string | undefined;
  readonly objective: ObjectiveName;
  readonly search: SearchConfig;
  readonly threat: ThreatModel;
  /** Decide live at this score or above. */
  readonly threshold: number;
  readonly seed: number;
  readonly batch: number;
  readonly images: Photos;
  readonly keys: readonly string[];
  /** 0 live, 1 spoof. */
  readonly labels: Uint8Array;
  /**
   * By facet its true target, one per sample, where the dataset knows it. Where it is undefined the model's own clean
   * prediction stands in.
   */
  readonly truth: Readonly<Record<string, readonly (FacetTruth | undefined)[]>>;
}

/** A class index, the attributes' bits, or a map as a grey PNG of any size, white is 1. */
export type FacetTruth =
  | { readonly kind: 'class'; readonly index: number }
  | { readonly kind: 'bits'; readonly bits: readonly number[] }
  | { readonly kind: 'map'; readonly png: Uint8Array };

export interface AttackResult {
  /** Adversarial images of the model's input size as PNG, inside the budget around the cropped clean ones. */
  readonly pngs: readonly Uint8Array[];
  readonly cleanScores: Float64Array;
  /** Of the 8-bit images as they are in `pngs`. */
  readonly adversarialScores: Float64Array;
  /** Largest change of a pixel value of each image, as a fraction of the range. */
  readonly linf: Float64Array;
  /** Root of the mean squared change per pixel value, as a fraction of the range. */
  readonly l2: Float64Array;
}

/** Class-conditional moments of one tensor: group g of `groups` counts the samples whose index is g. */
export interface Grouping {
  readonly id: string;
  /** A facet's feature, pooled; or the texture statistics of the texture tensor. */
  readonly of: { readonly feature: string } | { readonly texture: string };
  readonly groups: number;
  /** [n]: the group of each sample, -1 for none. */
  readonly index: Int16Array;
  /** [n, k], 0 or 1: joined to each sample's feature, for probes. */
  readonly indicators?: Uint8Array;
}

export interface MomentsTask {
  readonly source: ModelSource;
  readonly images: Photos;
  readonly batch: number;
  readonly groupings: readonly Grouping[];
}

/** Moments by grouping id and group. */
export type MomentsResult = Readonly<Record<string, readonly MomentsData[]>>;

/** What to fit to moments. */
export type Fit = { readonly id: string } & (
  | {
      /** Beside it directions of the control, which follow from `seed` and `id`. */
      readonly kind: 'prior';
      /** Of live and spoof. */
      readonly groups: readonly MomentsData[];
      readonly seed: number;
    }
  | {
      /** An output per class, of which a sample is one; or per bit. */
      readonly kind: 'probe' | 'multi-label';
      readonly outputs: number;
      /** Of features with an indicator of each output behind them. */
      readonly joined: MomentsData;
    }
);

export interface FitResult {
  readonly priors: Readonly<Record<string, LinearPrior>>;
  readonly controls: Readonly<Record<string, readonly Float32Array[]>>;
  readonly probes: Readonly<Record<string, LinearProbe>>;
}

/** A linear function of a pooled feature of d numbers: weights [outputs, d], bias [outputs]. */
export interface Readout {
  readonly feature: string;
  readonly weights: Float32Array;
  readonly bias: ArrayLike<number>;
}

export interface DescribeTask {
  readonly source: ModelSource;
  readonly images: Photos;
  readonly batch: number;
  readonly features: readonly string[];
  readonly texture?: string;
  /** By names of the caller's; for who wants to know what a feature says and not the feature. */
  readonly readouts?: Readonly<Record<string, Readout>>;
}

/** Under which the texture statistics stand among the features. */
export const TEXTURE = 'texture';

export interface DescribeResult {
  /** [n], high for live. */
  readonly scores: Float64Array;
  /** Pooled features [n, size] by tensor; the texture statistics under {@link TEXTURE}. */
  readonly features: Readonly<Record<string, Float32Array>>;
  /** [n, outputs] by the names of the task's readouts. */
  readonly readouts: Readonly<Record<string, Float32Array>>;
}

/** An adversarial image beside the clean one that it was made from. */
export interface CompareTask {
  readonly manifest: ModelManifest;
  readonly original: Photo;
  /** At the model's input size. */
  readonly adversarial: Uint8Array;
}

export interface CompareResult {
  /** The clean image as the model sees it, as PNG. */
  readonly original: Uint8Array;
  /** Grey where nothing changed; changes times `amplification` around it, as PNG. */
  readonly difference: Uint8Array;
  readonly amplification: number;
}

/** Task names with their inputs and results. */
export interface Tasks {
  check: { input: ModelSource; result: ModelFacts };
  checkFile: { input: ModelFile; result: ModelFacts };
  compare: { input: CompareTask; result: CompareResult };
  describe: { input: DescribeTask; result: DescribeResult };
  moments: { input: MomentsTask; result: MomentsResult };
  fit: { input: readonly Fit[]; result: FitResult };
  attack: { input: AttackTask; result: AttackResult };
  inspect: { input: InspectTask; result: Inspection };
  gradient: { input: GradientTask; result: GradientResult };
  probe: { input: Provider; result: undefined };
  vet: { input: ModelSource; result: undefined };
  train: { input: TrainingPartTask; result: Record<string, number> };
  perturb: { input: PerturbPartTask; result: Float32Array };
  score: { input: ScoreTask; result: Scores };
  fitPriors: { input: FitPriorsTask; result: Priors };
  gradientNorms: { input: NormsTask; result: readonly number[] };
  update: { input: UpdateTask; result: undefined };
}
