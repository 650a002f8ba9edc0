/** Helpers for the tests of stores and of applications. They are exported as `koa-keepsake/testing`. */
export { storeConformance } from './conformance.js'
export { sessionCookie } from './session-cookie.js'
export type { RunnerTest } from './conformance.js'
export type { StoreCapabilities, StoreFactory, StoreWithTexts } from './fixture.js'
