// Dataset readers, synthetic faces and WebDataset shards.
export {};
