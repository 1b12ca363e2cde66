// Datasets in: readers to checked, cropped, sharded samples.
export {};
