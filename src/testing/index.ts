export { storeConformance } from './testing/conformance.js'
export type { RunnerTest } from './testing/conformance.js'
export type { StoreCapabilities, StoreFactory } from './testing/stage.js'
export { sessionCookie } from './testing/session-cookie.js'
