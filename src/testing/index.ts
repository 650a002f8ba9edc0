/** What tests of stores and of applications need. It is exported as `koa-keepsake/testing`. */
export { storeConformance } from './conformance.js'
export { sessionCookie } from './session-cookie.js'
export type { RunnerTest } from './conformance.js'
export type { StoreCapabilities, StoreFactory, StoreWithTexts } from './stage.js'
