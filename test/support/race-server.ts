import { pathToFileURL } from 'node:url'
import type { SessionStore } from '../../src/index.js'
import { startApp } from './app.js'
import { createRaceApp } from './race-app.js'
import type { Options } from './story.js'

// One process of a fleet: `race-server.ts <module of the store> <argument> <options as JSON>`. Ends when its parent goes away.

const [, , store, argument, options] = process.argv
const { default: makeStore } = (await import(pathToFileURL(store!).href)) as { default: (argument: string) => SessionStore | Promise<SessionStore> }
const origin = await startApp({ teardown: () => {} }, createRaceApp(await makeStore(argument!), JSON.parse(options!) as Options))
process.on('disconnect', () => process.exit())
process.send!(origin)
