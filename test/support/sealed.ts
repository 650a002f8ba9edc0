import type { Context } from 'koa'
import type { SessionRecord, SessionStore } from '../../src/index.js'
import type { Client } from './client.js'
import { idOf } from './events.js'
import type { Routes } from './story.js'

/** Handlers that use a session in each way that reads or writes its record. */
export const routes: Routes = {
  '/set': (ctx) => ctx.session.set(query(ctx, 'key'), query(ctx, 'value')),
  '/get': (ctx) => ({ ...(ctx.session as object) }),
  '/facts': (ctx) => ({ owner: ctx.session.owner ?? null, isNew: ctx.session.isNew, id: ctx.session.recordId ?? null }),
  '/add': (ctx) => ctx.session.increment('count'),
  '/take': async (ctx) => ({ taken: (await ctx.session.take(query(ctx, 'key'))) ?? null }),
  '/login': (ctx) => ctx.session.loginAs(query(ctx, 'user')),
  '/regenerate': (ctx) => ctx.session.regenerate(),
  '/end-others': async (ctx) => ({ ended: await ctx.session.endOthers() }),
  '/logout': (ctx) => ctx.session.destroy()
}

function query(ctx: Context, name: string): string {
  return String(ctx.query[name])
}

/** Edits the record of a client's session behind the application's back. The edited record has the next revision, as a careful attacker would give it. */
export async function edit(store: SessionStore, client: Client, change: (record: SessionRecord) => Partial<SessionRecord>): Promise<void> {
  await store.update(idOf(client.cookie('session')!), (record) => ({ ...record, ...change(record) }))
}

/** The record of a client's session as it is stored. */
export async function atRest(store: SessionStore, client: Client): Promise<SessionRecord | undefined> {
  return store.read(idOf(client.cookie('session')!))
}

/** Makes a sealed text another one of the same length. */
export function flipped({ sealed = '' }: SessionRecord): string {
  const at = Math.floor(sealed.length / 2)
  return sealed.slice(0, at) + (sealed[at] === 'A' ? 'B' : 'A') + sealed.slice(at + 1)
}
