import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { fileStore, type Recipe, type SessionRecord, type SessionStore } from '../../src/index.js'
import { startStory } from '../support/story.js'

/** Changes the first nested value of the data in place, as a careless store that encrypts would. */
function turned(record: SessionRecord): SessionRecord {
  const card = record.data['card'] as { number: string } | undefined
  if (card) card.number = card.number.split('').toReversed().join('')
  return record
}

const turnedRecipe = (recipe: Recipe): Recipe => (current) => {
  const next = recipe(turned(structuredClone(current)))
  return next && turned(next)
}

const copied = (record: SessionRecord | null | undefined) => (record ? turned(structuredClone(record)) : record)

/** A store that wraps another and changes nested values in place on their way in and out. What it reads, it does not even copy. */
function wrapping(inner: SessionStore): SessionStore {
  return {
    read: async (id) => {
      const record = await inner.read(id)
      return record && turned(record)
    },
    create: (id, record) => inner.create(id, turned(record)),
    update: async (id, recipe) => copied(await inner.update(id, turnedRecipe(recipe))),
    destroy: (id) => inner.destroy(id),
    scope: (scope) => wrapping(inner.scope!(scope))
  }
}

test('a store that wraps another and changes nested values in place stores what it made of them', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'wrapped-'))
  t.teardown(() => rm(dir, { recursive: true }))
  const store = fileStore({ dir })
  t.teardown(() => store.close?.())
  const { client } = await startStory(
    t,
    {
      '/set': (ctx) => ctx.session.set('card', { number: '1234' }),
      '/more': (ctx) => ctx.session.set('more', 1),
      '/change': (ctx) => ctx.session.set('card', { number: '5678' }),
      '/': (ctx) => ({ ...ctx.session })
    },
    { store: wrapping(store) }
  )
  const texts = async () => Promise.all((await readdir(dir)).filter((name) => name.endsWith('.json')).map((name) => readFile(join(dir, name), 'utf8')))
  for (const [path, plain, stored] of [['/set', '1234', '4321'], ['/more', '1234', '4321'], ['/change', '5678', '8765']] as const) {
    await client.get(path)
    const [text] = await texts()
    t.true(text!.includes(stored), `${path}: ${text}`)
    t.false(text!.includes(plain), path)
    for (let reads = 0; reads < 3; reads++) t.is(((await client.get('/')).json as { card: { number: string } }).card.number, plain)
  }
})
