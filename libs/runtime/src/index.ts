// What every service is made of: configuration, handler loop, lifecycle, errors.
export {};
