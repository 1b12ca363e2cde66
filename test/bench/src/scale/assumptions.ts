/**
 * What the simulation stands on. Measured is what says by which command; the rest is assumed: nothing of Facet has run on a
 * cluster with GPUs. Put your own figures here and run it again.
 */
import type { Assumptions } from './evaluation.js';

export const ASSUMED: Assumptions = {
  // As they are: services/evaluation/src/lanes.ts and k8s/components/keda.
  lanes: 128,
  jobsPerPod: 8,
  // 64 images, PGD-10, a ResNet-50 at 224: 64 x 11 x 3 x 4.1 GFLOP on a GPU that reaches 6 TFLOP/s, and PNGs in and out.
  shardS: 2,
  shardSpread: 0.2,
  // npm run bench -- bus jobs: 2,136 jobs/s on two cores of a Xeon.
  joinS: 1 / 2136,
  hopS: 0.002,
  // 64 photographs of 224 in, 64 PNGs out.
  shardBytes: 12e6,
  storeBytesPerS: 1e9,
  // KEDA's pollingInterval, and its HPA's period.
  noticeS: 25,
  // A GPU node from its order, driver and 4 GB of image included.
  nodeS: 240,
  nodeSpread: 0.3,
  featuresS: 60,
  // maxReplicaCount of k8s/components/keda.
  featurePods: 4,
  concludeS: 10,
  cooldownS: 300,
  // US dollars, about what one small GPU costs on demand.
  nodePrice: 1,
};

/** Evaluations at once, and shards of each: one of the default size, a large one, and all models of a team. */
export const WORK = {
  one: { evaluations: 1, shards: 1_000 },
  large: { evaluations: 1, shards: 10_000 },
  fleet: { evaluations: 50, shards: 1_000 },
} as const;
