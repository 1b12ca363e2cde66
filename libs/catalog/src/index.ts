// Models, datasets and features as checked artifacts in the object store.
export {};
