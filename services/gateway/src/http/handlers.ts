/** What a handler of a route gets and gives, by the route's declaration: a route without one does not compile. */
import type { api, RouteAnswer, RouteName, Routes, RouteSpec } from '@facet/contracts';
import type { z } from 'zod';

export interface Caller {
  /** Of the request, for logs, audit and problems. */
  readonly request: string;
  /** Undefined on public routes. */
  readonly token: api.TokenInfo | undefined;
  readonly lastEventId: string | undefined;
  /** Aborts when the client has gone. */
  readonly signal: AbortSignal;
}

/** A body that is streamed: `receive` gets its bytes as they come. */
export type FileBody = <T>(receive: (chunks: AsyncIterable<Uint8Array>) => Promise<T>) => Promise<T>;

type Documents<P> = {
  readonly [N in keyof P as P[N] extends 'file' ? never : N]: z.output<P[N] & z.ZodType>;
};
export type FormBody<P> = <T>(
  receive: (chunks: AsyncIterable<Uint8Array>) => Promise<T>,
) => Promise<{ readonly documents: Documents<P>; readonly file: T }>;

type Parsed<S> = S extends z.ZodType ? z.output<S> : Record<never, never>;
type BodyOf<B> = B extends { readonly kind: 'json'; readonly schema: infer S }
  ? z.output<S & z.ZodType>
  : B extends { readonly kind: 'multipart'; readonly parts: infer P }
    ? FormBody<P>
    : B extends { readonly kind: 'file' }
      ? FileBody
      : undefined;

export interface Asked<R extends RouteSpec> {
  readonly params: Parsed<R['params']>;
  readonly query: Parsed<R['query']>;
  readonly body: BodyOf<R['body']>;
  readonly caller: Caller;
}

export interface StreamAnswer {
  readonly type: string;
  readonly stream: AsyncIterable<Uint8Array | string>;
  readonly bytes?: number;
  /** A browser saves it under this name. */
  readonly fileName?: string;
}

type AnswerOf<S, A> = A extends { readonly kind: 'json'; readonly schema: infer Z }
  ? { readonly status: S; readonly body: z.input<Z & z.ZodType>; readonly location?: string }
  : A extends { readonly kind: 'stream' }
    ? { readonly status: S } & StreamAnswer
    : { readonly status: S };

type Answers<A extends Readonly<Record<number, RouteAnswer>>> = {
  [S in keyof A]: AnswerOf<S, A[S]>;
}[keyof A];

export type RouteHandler<R extends RouteSpec> = (asked: Asked<R>) => Promise<Answers<R['answers']>>;

export type RouteHandlers = { readonly [N in RouteName]: RouteHandler<Routes[N]> };

/** As the router sees every answer. */
export interface AnyAnswer extends Partial<StreamAnswer> {
  readonly status: number;
  readonly body?: unknown;
  readonly location?: string;
}
export type AnyHandler = (asked: {
  params: unknown;
  query: unknown;
  body: unknown;
  caller: Caller;
}) => Promise<AnyAnswer>;
