// Events, jobs, artifacts, manifests, plans and policies as zod schemas: the one vocabulary between services.
export {};
