/** What a route is: one declaration from which router, validation, OpenAPI and the authorisation matrix come. */
import type { z } from 'zod';
import type { Access } from './roles.js';

export type Shape = z.ZodObject;

export type RouteBody =
  | { readonly kind: 'json'; readonly schema: z.ZodType }
  /** Named parts: a JSON document, or a file that is streamed. */
  | { readonly kind: 'multipart'; readonly parts: Readonly<Record<string, z.ZodType | 'file'>> }
  /** One file that is streamed. */
  | { readonly kind: 'file'; readonly contentType: string };

export type RouteAnswer =
  | { readonly kind: 'json'; readonly about: string; readonly schema: z.ZodType }
  | { readonly kind: 'stream'; readonly about: string; readonly contentTypes: readonly string[] }
  | { readonly kind: 'empty'; readonly about: string };

export interface RouteSpec {
  readonly method: 'get' | 'post' | 'put' | 'delete';
  /** OpenAPI's form: `/v1/models/{name}/{version}`. */
  readonly path: string;
  readonly tag: string;
  readonly about: string;
  readonly access: Access;
  readonly params?: Shape;
  readonly query?: Shape;
  readonly body?: RouteBody;
  /** The success answers, by status. Every route may also answer with a problem. */
  readonly answers: Readonly<Record<number, RouteAnswer>>;
  /** Takes an `Idempotency-Key`: the same one again gets the same answer and does nothing. */
  readonly idempotent?: boolean;
}

/** Keeps each route's own types. */
export const defineRoutes = <const R extends Readonly<Record<string, RouteSpec>>>(routes: R): R => routes;
