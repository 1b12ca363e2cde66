// Plans an evaluation, joins its shards, judges and reports.
export {};
