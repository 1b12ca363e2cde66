// The message bus port and its in-process adapter: at-least-once, redelivery, dead letters.
export {};
