export { default } from 'virtual:wasm-inline';
