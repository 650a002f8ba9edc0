import { fileStore, session } from '../../src/index.js'
import { createApp, routesOf } from '../support/story.js'

/** A worker of cluster.test.ts: an application with sessions in the directory of the first argument. */
const app = createApp()
app.use(session({ store: fileStore({ dir: process.argv[2]! }) }))
const { pid } = process
app.use(
  routesOf({
    '/login': async (ctx) => {
      await ctx.session.loginAs('momo')
      return { pid }
    },
    '/count': (ctx) => ({ pid, n: ctx.session.increment('n') }),
    '/me': (ctx) => ({ pid, owner: ctx.session.owner ?? null, n: ctx.session.get('n', null) }),
    '/logout': (ctx) => ctx.session.destroy()
  })
)
app.listen(0, '127.0.0.1')
