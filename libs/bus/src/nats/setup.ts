/**
 * Makes streams and consumers, and changes those that are otherwise than declared. Never destroys: a stream whose
 * kind is another one, or a consumer of other subjects, is refused, as messages would be lost.
 */
import {
  AckPolicy,
  type ConsumerConfig as NatsConsumer,
  type ConsumerInfo,
  DeliverPolicy,
  JetStreamApiCodes,
  JetStreamApiError,
  type JetStreamManager,
  RetentionPolicy,
  StorageType,
} from '@nats-io/jetstream';
import { nanos } from '@nats-io/transport-node';
import { BusError, type ConsumerConfig, type StreamConfig } from '../port.js';
import { checkConsumer } from '../rules.js';
import { busErrorOf } from './faults.js';

export type Change = 'created' | 'changed' | 'unchanged';

const RETENTION = { limits: RetentionPolicy.Limits, 'work-queue': RetentionPolicy.Workqueue } as const;

/** The answer of `ask`, or undefined where the server has no such thing. */
async function found<T>(ask: Promise<T>): Promise<T | undefined> {
  try {
    return await ask;
  } catch (error) {
    const absent: readonly number[] = [JetStreamApiCodes.StreamNotFound, JetStreamApiCodes.ConsumerNotFound];
    if (error instanceof JetStreamApiError && absent.includes(error.code)) return undefined;
    throw error;
  }
}

/** @param replicas servers of a cluster that keep a copy each */
export async function ensureStream(
  jsm: JetStreamManager,
  { name, subjects, retention, duplicateWindowMs }: StreamConfig,
  replicas: number,
): Promise<Change> {
  const wanted = {
    subjects: [...subjects],
    duplicate_window: nanos(duplicateWindowMs),
    num_replicas: replicas,
  };
  try {
    const info = await found(jsm.streams.info(name));
    if (info === undefined) {
      await jsm.streams.add({ name, retention: RETENTION[retention], storage: StorageType.File, ...wanted });
      return 'created';
    }
    if (info.config.retention !== RETENTION[retention])
      throw new BusError(
        'conflict',
        `stream ${name} has retention ${info.config.retention}, not ${retention}; changing that would lose its messages`,
      );
    if (differing(info.config, wanted).length === 0) return 'unchanged';
    await jsm.streams.update(name, { ...info.config, ...wanted });
    return 'changed';
  } catch (error) {
    throw busErrorOf(`stream ${name}`, error);
  }
}

const settingsOf = (config: ConsumerConfig): Partial<NatsConsumer> => ({
  ack_wait: nanos(config.ackWaitMs),
  max_deliver: config.maxDeliver,
  max_ack_pending: config.maxAckPending,
});

const subjectsOf = ({ config }: ConsumerInfo): string[] =>
  (config.filter_subjects ?? [config.filter_subject ?? '>']).toSorted();

/** The durable consumer as it stands, which is made where it is new; one with other subjects is a conflict. */
export async function openConsumer(
  jsm: JetStreamManager,
  consumer: ConsumerConfig,
  stream: StreamConfig,
): Promise<{ readonly info: ConsumerInfo; readonly created: boolean }> {
  const { name, subjects } = consumer;
  checkConsumer(consumer, stream);
  try {
    const known = await found(jsm.consumers.info(stream.name, name));
    if (known !== undefined) {
      const reads = subjectsOf(known);
      if (reads.join(' ') !== subjects.toSorted().join(' '))
        throw new BusError('conflict', `consumer ${name} already reads ${reads.join(', ')}`);
      return { info: known, created: false };
    }
    const info = await jsm.consumers.add(stream.name, {
      durable_name: name,
      ack_policy: AckPolicy.Explicit,
      deliver_policy: DeliverPolicy.All,
      ...(subjects.length === 1 ? { filter_subject: subjects[0] } : { filter_subjects: [...subjects] }),
      ...settingsOf(consumer),
    });
    return { info, created: true };
  } catch (error) {
    throw busErrorOf(`consumer ${name}`, error);
  }
}

export async function ensureConsumer(
  jsm: JetStreamManager,
  consumer: ConsumerConfig,
  stream: StreamConfig,
): Promise<Change> {
  const { info, created } = await openConsumer(jsm, consumer, stream);
  if (created) return 'created';
  const wanted = settingsOf(consumer);
  if (differing(info.config, wanted).length === 0) return 'unchanged';
  try {
    await jsm.consumers.update(stream.name, consumer.name, wanted);
    return 'changed';
  } catch (error) {
    throw busErrorOf(`consumer ${consumer.name}`, error);
  }
}

/** Names of the wanted settings that are otherwise. */
const differing = (standing: object, wanted: object): string[] =>
  Object.entries(wanted)
    .filter(([name, value]) => JSON.stringify(Reflect.get(standing, name)) !== JSON.stringify(value))
    .map(([name]) => name);
