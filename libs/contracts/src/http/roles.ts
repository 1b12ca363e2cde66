/**
 * Who may do what over HTTP. Each role may do everything that those before it may: a viewer reads; a publisher brings in
 * models and datasets and asks for work; an operator ends and deletes it; an admin hands out tokens and reads who did what.
 */
export const ROLES = ['viewer', 'publisher', 'operator', 'admin'] as const;
export type Role = (typeof ROLES)[number];

/** What a route asks for; `public` needs no token. */
export type Access = Role | 'public';

export const mayAccess = (role: Role | undefined, access: Access): boolean =>
  access === 'public' || (role !== undefined && ROLES.indexOf(role) >= ROLES.indexOf(access));
