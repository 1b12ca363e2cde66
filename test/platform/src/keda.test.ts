/**
 * KEDA's operator scales the overlay `gpu-keda` by the streams and consumers that our bootstrap makes on a real NATS. The
 * overlay is as it is built but for three fields of each ScaledObject: where NATS is, as there is no cluster's DNS, and two
 * times. Nothing runs in the pods: here the test takes the jobs.
 */
import { type ConsumerConfig, type Delivery, NatsBus } from '@facet/bus';
import { type Cluster as Servers, SERVICES, startCluster } from '@facet/cli';
import { STREAMS } from '@facet/contracts';
import { consumersOf, natsOptions } from '@facet/runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Cluster } from './cluster.js';
import type { KubeObject } from './kubectl.js';
import { build } from './overlay.js';

/** KEDA asks each second, controllers and the scheduler follow within seconds. */
const SETTLE = { timeout: 60_000, interval: 250 };

const COOLDOWN_S = 3;
/** More than one pod would be wanted for, of which only the first is KEDA's own doing. */
const JOBS = 3;

interface ScaledObject extends KubeObject {
  readonly spec: {
    readonly scaleTargetRef: { readonly name: string };
    readonly triggers: readonly { readonly metadata: Readonly<Record<string, string>> }[];
  };
  readonly status?: {
    readonly lastActiveTime?: string;
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly reason?: string;
    }[];
  };
}

interface Event {
  readonly reason: string;
  readonly message: string;
  readonly involvedObject: { readonly name: string };
}

const overlay = await build('gpu-keda');
const scaledObjects = overlay.ofKind<ScaledObject>('ScaledObject');
const consumers = SERVICES.flatMap(consumersOf);

/** Each trigger on its own, with KEDA's name for it. */
const CASES = scaledObjects.flatMap(({ spec: { scaleTargetRef, triggers } }) =>
  triggers.map(({ metadata: { stream, consumer } }, index) => ({
    service: scaleTargetRef.name,
    stream,
    consumer,
    trigger: `s${index}-nats-jetstream-${stream}`,
  })),
);

describe('by the messages before their consumers', () => {
  let servers: Servers;
  let cluster: Cluster;
  let bus: NatsBus;
  const closers: (() => Promise<unknown>)[] = [];
  beforeAll(async () => {
    // Everything but the services, whose place is taken by pods that pretend.
    servers = await startCluster({
      processes: Object.fromEntries(SERVICES.map(({ name }) => [name, 0])),
      say: () => undefined,
      onLog: () => undefined,
    });
    closers.push(() => servers.stop());
    bus = await NatsBus.connect(natsOptions('keda-test', servers.connections), STREAMS);
    closers.push(() => bus.close());
    cluster = await Cluster.start(overlay);
    closers.push(() => cluster.stop());
    await cluster.addNodes('gpu', 1);
    const keda = await cluster.startKeda();
    closers.push(() => keda.stop());
    const others = overlay.objects.filter(({ kind }) => kind !== 'ScaledObject');
    await cluster.kubectl.apply([...others, ...scaledObjects.map(here)]);
  });
  afterAll(async () => {
    for (const close of closers.reverse()) await close();
  });

  /** With what must be different here. */
  const here = (scaled: ScaledObject) => ({
    ...scaled,
    spec: {
      ...scaled.spec,
      pollingInterval: 1,
      cooldownPeriod: COOLDOWN_S,
      triggers: scaled.spec.triggers.map((trigger) => ({
        ...trigger,
        metadata: {
          ...trigger.metadata,
          natsServerMonitoringEndpoint: new URL(servers.nats.monitorUrl).host,
        },
      })),
    },
  });
  const podsOf = async (service: string) => (await cluster.states())[service] ?? [];
  const statusOf = async (service: string) =>
    (await cluster.kubectl.list<ScaledObject>('scaledobjects', 'facet')).find(
      ({ metadata }) => metadata.name === service,
    )?.status;
  const lastActive = async (service: string) => Date.parse((await statusOf(service))?.lastActiveTime ?? '');
  /** What KEDA says that it did to its pods, in the order of time. */
  const scalings = async (service: string) =>
    (await cluster.kubectl.list<Event>('events', 'facet'))
      .filter(
        ({ involvedObject, reason }) => involvedObject.name === service && /^KEDAScaleTarget/.test(reason),
      )
      .map(({ message }) => message);

  it('none of the services that take jobs runs where there are none', async () => {
    for (const { metadata } of scaledObjects) {
      await expect.poll(() => podsOf(metadata.name), SETTLE).toEqual([]);
      await expect.poll(() => scalings(metadata.name), SETTLE).toEqual([toNone(metadata.name)]);
    }
    await expect.poll(() => podsOf('evaluation'), SETTLE).toEqual(['runs']);
  });

  it.each(CASES)(
    '$service goes from none to one and back by $consumer',
    async ({ service, stream, consumer, trigger }) => {
      const config = consumers.find((one) => one.name === consumer && one.stream === stream)!;
      expect(await podsOf(service)).toEqual([]);
      const before = (await scalings(service)).length;
      await publish(bus, config, JOBS);
      await expect.poll(() => podsOf(service), SETTLE).toEqual(['runs']);

      const deliveries = await take(bus, config, JOBS);
      expect(await bus.backlog(config)).toEqual({ waiting: 0, unsettled: JOBS });
      // KEDA still sees work after more than its cooldown in which there were only jobs under way.
      const later = Date.now() + 2 * COOLDOWN_S * 1000;
      await expect.poll(() => lastActive(service), SETTLE).toBeGreaterThan(later);
      expect(await podsOf(service)).toEqual(['runs']);

      for (const delivery of deliveries) await delivery.ack();
      await expect.poll(() => podsOf(service), SETTLE).toEqual([]);
      await expect
        .poll(async () => (await scalings(service)).slice(before), SETTLE)
        .toEqual([toOne(service, trigger), toNone(service)]);
    },
  );

  it('a consumer that is missing scales nothing, and the ScaledObject says so', async () => {
    const ingestion = scaledObjects.find(({ metadata }) => metadata.name === 'ingestion')!;
    const [trigger] = ingestion.spec.triggers;
    const nobodys = { ...trigger, metadata: { ...trigger.metadata, consumer: 'nobody' } };
    await cluster.kubectl.apply([here({ ...ingestion, spec: { ...ingestion.spec, triggers: [nobodys] } })]);
    const ready = async () =>
      (await statusOf('ingestion'))?.conditions?.find(({ type }) => type === 'Ready')?.reason;
    await expect.poll(ready, SETTLE).toBe('TriggerError');
    const replicas = '--output=jsonpath={.spec.replicas}';
    expect(await cluster.kubectl.run('get', 'deployment/ingestion', '--namespace=facet', replicas)).toBe('0');
  });
});

/** As KEDA's events say it. */
const toOne = (service: string, trigger: string) =>
  `Scaled apps/v1.Deployment facet/${service} from 0 to 1, triggered by ${trigger}`;
const toNone = (service: string) => `Deactivated apps/v1.Deployment facet/${service} from 1 to 0`;

async function publish(bus: NatsBus, { name, subjects: [subject] }: ConsumerConfig, count: number) {
  for (let index = 0; index < count; index++)
    await bus.publish({ id: `${name}-${index}`, subject, headers: {}, data: new Uint8Array() });
}

/** As a worker does that is at work on all of them. */
async function take(bus: NatsBus, consumer: ConsumerConfig, count: number): Promise<Delivery[]> {
  const taken: Delivery[] = [];
  for await (const delivery of bus.consume(consumer, AbortSignal.timeout(SETTLE.timeout))) {
    taken.push(delivery);
    if (taken.length === count) break;
  }
  return taken;
}
