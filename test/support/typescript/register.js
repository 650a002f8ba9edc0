import * as module from 'node:module'
import * as hooks from './hooks.js'

/*
 * `node --import=./test/support/typescript/register.js`: runs TypeScript without a build. It costs a process next to nothing, where tsx costs 0.3 to
 * 0.7 s of CPU, and the suite starts many hundreds of processes.
 */

// Node 20 runs hooks in a thread of their own. Later versions can run them in this one.
if (module.registerHooks) module.registerHooks(hooks)
else module.register('./hooks.js', import.meta.url)
