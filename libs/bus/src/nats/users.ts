/**
 * Who may do what on NATS, as a part of the server's configuration. Users are nkeys: the file holds public keys only,
 * so it may lie in a ConfigMap and in a repository; whoever has the seed proves it by signing, and nothing secret
 * travels. Each user hears answers under a prefix of its own, so that none reads another's.
 */
import { nkeys } from '@nats-io/transport-node';
import type { ConsumerConfig } from '../port.js';
import { inboxOf } from './connection.js';

/** What a service does on the bus. */
export interface BusRights {
  /** As it names itself when it connects. */
  readonly name: string;
  /** Subjects. */
  readonly publishes: readonly string[];
  readonly consumers: readonly ConsumerConfig[];
  /** Streams that it looks into. */
  readonly follows: readonly string[];
  /** Streams out of which it takes messages. */
  readonly clears: readonly string[];
}

export interface NatsUser {
  /** `U...` */
  readonly publicKey: string;
  /** Without rights: an administrator, who may do everything. */
  readonly rights?: BusRights;
}

export interface KeyPair {
  /** `SU...`, a secret. */
  readonly seed: string;
  readonly publicKey: string;
}

export function newUserKey(): KeyPair {
  const pair = nkeys.createUser();
  return { seed: new TextDecoder().decode(pair.getSeed()), publicKey: pair.getPublicKey() };
}

/** Errors: what the library says where the seed is none. */
export const publicKeyOf = (seed: string): string =>
  nkeys.fromSeed(new TextEncoder().encode(seed.trim())).getPublicKey();

/** The subjects that a user may send to and listen on. */
export function permissionsOf({ name, publishes, consumers, follows, clears }: BusRights) {
  const reading = (stream: string, consumer: string): string[] => [
    `$JS.API.CONSUMER.INFO.${stream}.${consumer}`,
    `$JS.API.CONSUMER.MSG.NEXT.${stream}.${consumer}`,
  ];
  const publish = new Set([
    ...publishes,
    ...consumers.flatMap(({ stream, name: consumer }) => [
      ...reading(stream, consumer),
      `$JS.ACK.${stream}.${consumer}.>`,
    ]),
    ...follows.flatMap((stream) => [
      `$JS.API.STREAM.INFO.${stream}`,
      // The client asks for one without a name first, where it filters subjects.
      `$JS.API.CONSUMER.CREATE.${stream}`,
      `$JS.API.CONSUMER.CREATE.${stream}.>`,
      ...reading(stream, '*'),
    ]),
    ...clears.map((stream) => `$JS.API.STREAM.MSG.DELETE.${stream}`),
  ]);
  return { publish: [...publish].toSorted(), subscribe: [`${inboxOf(name)}.>`] };
}

/** An `authorization` block, to be included in the server's configuration. The same users give the same text. */
export function authorizationConfig(users: readonly NatsUser[]): string {
  const list = (subjects: readonly string[]): string =>
    `[${subjects.map((subject) => `\n          ${JSON.stringify(subject)}`).join('')}\n        ]`;
  const blocks = users.map(({ publicKey, rights }) => {
    if (rights === undefined) return `    # administrator\n    { nkey: ${publicKey} }`;
    const { publish, subscribe } = permissionsOf(rights);
    return `    # ${rights.name}
    {
      nkey: ${publicKey}
      permissions: {
        publish: ${list(publish)}
        subscribe: ${list(subscribe)}
      }
    }`;
  });
  return `# Made by "facet bootstrap" from what the services declare. Include it in the server's configuration and reload.
authorization {
  users: [
${blocks.join('\n')}
  ]
}
`;
}
