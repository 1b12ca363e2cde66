// The facet command: the whole system in one process.
export {};
