import * as module from 'node:module'
import * as hooks from './hooks.js'

/*
 * `node --import=./test/support/typescript/register.js`: runs TypeScript without a build. The suite starts about a thousand processes, and this
 * costs each 0.05 s of CPU, where tsx costs 0.3 to 0.7.
 */

// Node 20 runs hooks in a thread of their own. Later versions can run them in this one.
if (module.registerHooks) module.registerHooks(hooks)
else module.register('./hooks.js', import.meta.url)
