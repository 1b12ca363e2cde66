/**
 * Which events exist: their stream, their subject and the shape of their data. The envelope and the handler loop are
 * generic over it; the product's own is in `vocabulary.ts`.
 */
import { type z } from 'zod';

export interface EventKind<S extends z.ZodType = z.ZodType> {
  readonly stream: string;
  readonly schema: S;
  /** @param pool the pool of workers that should take it; facts ignore it */
  subject(pool?: string): string;
}

/** Event kinds by type. */
export type Registry = Readonly<Record<string, EventKind>>;

export type TypeOf<R extends Registry> = keyof R & string;

/** One event that came in, its data checked. A union over `T`, told apart by `type`. */
export type ReceivedEvent<R extends Registry, T extends TypeOf<R> = TypeOf<R>> =
  T extends TypeOf<R> ? EventContext & { readonly type: T; readonly data: z.output<R[T]['schema']> } : never;

export interface EventContext {
  /** Unique per `source`; the same fact told twice has the same id. */
  readonly id: string;
  /** Who says it: a URI reference such as `/facet/evaluation`. */
  readonly source: string;
  /** RFC 3339. */
  readonly time: string;
  /** What it is about, for filters and people; the data says it exactly. */
  readonly subject?: string;
  /** W3C trace context, passed on unread. */
  readonly traceparent?: string;
  readonly tracestate?: string;
}

/** One event to be sent, before the loop gives it an id. A union over `T`, told apart by `type`. */
export type OutgoingEvent<R extends Registry, T extends TypeOf<R> = TypeOf<R>> =
  T extends TypeOf<R>
    ? {
        readonly type: T;
        readonly data: z.input<R[T]['schema']>;
        /** Its part in the event's id, instead of its place among the returned events. */
        readonly key?: string;
        readonly subject?: string;
        /** For a job: which pool of workers should take it. */
        readonly pool?: string;
      }
    : never;
