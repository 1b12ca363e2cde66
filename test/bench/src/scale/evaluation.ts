/**
 * Evaluations on a cluster of GPU pods, as a model of queues: the one process that joins hands out a job for each lane, a pod
 * attacks, the store moves what it reads and writes, the join hears of the end and hands out the lane's next.
 */
import { Random } from '@facet/random';
import { Clock, Station } from './queue.js';

export interface Assumptions {
  /** Jobs of one evaluation that are out at a time: record 14. */
  readonly lanes: number;
  /** Jobs for which the autoscaler wants one more pod: `lagThreshold`. */
  readonly jobsPerPod: number;
  /** Seconds that a shard has a pod's GPU for itself, at the median, and the spread of its logarithm. */
  readonly shardS: number;
  readonly shardSpread: number;
  /** Seconds that joining takes for each shard, of one process for all evaluations. */
  readonly joinS: number;
  /** Seconds between a message's sending and its receipt. */
  readonly hopS: number;
  /** Bytes that a shard reads and writes, and what the store moves a second. */
  readonly shardBytes: number;
  readonly storeBytesPerS: number;
  /** Seconds until the autoscaler has seen the queue; until a GPU node and its pod are ready, at the median, and the spread. */
  readonly noticeS: number;
  readonly nodeS: number;
  readonly nodeSpread: number;
  /** Seconds of one pod for an evaluation's features and priors, before its first shard; and how many such pods there are. */
  readonly featuresS: number;
  readonly featurePods: number;
  /** Seconds of the one process that reports, after an evaluation's last shard. */
  readonly concludeS: number;
  /** Seconds that pods stay without work, and are paid for. */
  readonly cooldownS: number;
  /** Of a GPU node's hour. */
  readonly nodePrice: number;
}

export interface Order {
  /** At most so many; see {@link Assumptions.jobsPerPod}. */
  readonly pods: number;
  /** All asked for at once. */
  readonly evaluations: number;
  /** Of each evaluation. */
  readonly shards: number;
  readonly seed: number;
}

export interface Outcome {
  /** Pods that the autoscaler wants. */
  readonly podsUsed: number;
  /** Until the last report. */
  readonly reportS: number;
  readonly cost: number;
  /** Share of the paid time in which GPUs attack. */
  readonly gpuBusy: number;
  /** Share of the time to the last report in which each is busy; what comes near 1 is what limits. */
  readonly featuresBusy: number;
  readonly joinBusy: number;
  readonly storeBusy: number;
  readonly reportsBusy: number;
}

export function simulate({ pods, evaluations, shards, seed }: Order, assumed: Assumptions): Outcome {
  const { lanes, shardS, joinS, hopS, nodeS } = assumed;
  const spread = (about: number, ...path: readonly (number | string)[]): number =>
    Math.exp(about * new Random(seed, ...path).normal());
  const clock = new Clock();
  const gpus = new Station(clock, 0);
  const join = new Station(clock, 1);
  const store = new Station(clock, 1);
  const features = new Station(clock, assumed.featurePods);
  const reports = new Station(clock, 1);
  const transferS = assumed.shardBytes / assumed.storeBytesPerS;
  const out = Math.min(lanes, shards);
  const podsUsed = Math.min(pods, Math.ceil((evaluations * out) / assumed.jobsPerPod));
  const ordered = assumed.featuresS + assumed.noticeS;
  for (let pod = 0; pod < podsUsed; pod++)
    clock.after(ordered + nodeS * spread(assumed.nodeSpread, 'node', pod), () => gpus.add());
  let lastShard = 0;
  let reportS = 0;
  for (let evaluation = 0; evaluation < evaluations; evaluation++) {
    let queued = 0;
    let ended = 0;
    const next = (): void => {
      if (queued === shards) return;
      const seconds = shardS * spread(assumed.shardSpread, 'shard', evaluation, queued++);
      const attacked = (): void => store.ask(transferS, () => clock.after(hopS, heard));
      clock.after(hopS, () => gpus.ask(seconds, attacked));
    };
    const heard = (): void =>
      join.ask(joinS, () => {
        if (++ended < shards) return next();
        lastShard = clock.now;
        reports.ask(assumed.concludeS, () => (reportS = clock.now));
      });
    features.ask(assumed.featuresS, () => {
      for (let lane = 0; lane < out; lane++) next();
    });
  }
  clock.run();
  const paidS = podsUsed * (lastShard + assumed.cooldownS - ordered);
  return {
    podsUsed,
    reportS,
    cost: (paidS / 3600) * assumed.nodePrice,
    gpuBusy: gpus.busySeconds / paidS,
    featuresBusy: features.busySeconds / assumed.featurePods / reportS,
    joinBusy: join.busySeconds / reportS,
    storeBusy: store.busySeconds / reportS,
    reportsBusy: reports.busySeconds / reportS,
  };
}
