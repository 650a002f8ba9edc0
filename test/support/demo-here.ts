import { join } from 'node:path'
import type Koa from 'koa'
import { createApp, type AppOptions } from '../../demo/app.js'
import { readConfig, type Environment } from '../../demo/config.js'
import { openStorage } from '../../demo/storage.js'
import { startApp, type Cleanup } from './app.js'
import { makeDirectory } from './demo.js'

export interface DemoHere {
  app: Koa
  origin: string
  /** The directory of the sessions, unless the environment names another store. */
  dir: string
}

/** Starts the demo inside the test's own process, as the environment configures it. */
export async function openDemo(t: Cleanup, more: Environment = {}, pause?: AppOptions['pause']): Promise<DemoHere> {
  const dir = join(await makeDirectory(t), 'sessions')
  const env = { SESSION_FILE_DIR: dir, SECRET_KEY: 'x'.repeat(43), ...more }
  const { options } = readConfig(env)
  const storage = await openStorage(env, options)
  const app = createApp({ options, storage, ...(pause && { pause }) })
  app.silent = true
  const origin = await startApp(t, app)
  t.teardown(() => storage.close())
  return { app, origin, dir }
}
