// What the CommonJS files share.
export * from './apply.js';
export * from './client.js';
export * from './errors.js';
export * from './load.js';
