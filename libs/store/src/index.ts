// The object store port and its folder adapter: atomic writes, deterministic keys.
export {};
