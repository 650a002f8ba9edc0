/** The command `koa-keepsake`. Nothing else of the package imports this room, so that applications do not load its libraries. */
export { run } from './run.js'
export { outliveReader, type Io } from './io.js'
