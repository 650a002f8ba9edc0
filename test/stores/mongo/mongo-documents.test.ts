import test from 'ava'
import type { CommandStartedEvent, MongoClient, MongoClientOptions } from 'mongodb'
import { writeRecord } from '../../../src/store/index.js'
import { connectMongo, needsMongo, startMongo, type MongoServer } from '../../support/mongo.js'
import { openScope } from '../../support/mongo-scope.js'
import { counting, setting } from '../../support/recipes.js'
import { recordEvents } from '../../support/events.js'

const mongoTest = needsMongo(test)

const teardowns: (() => unknown)[] = []
let server: MongoServer
mongoTest.before(async () => {
  server = await startMongo({ teardown: (run) => void teardowns.push(run) })
})
mongoTest.after.always(async () => {
  for (const teardown of teardowns) await teardown()
})

/** A client, and every command that it sends, except those about the connection. */
function watched(t: Parameters<typeof connectMongo>[0], options: MongoClientOptions = {}): { client: MongoClient; commands: CommandStartedEvent[] } {
  const client = connectMongo(t, server.url, { monitorCommands: true, ...options })
  const commands: CommandStartedEvent[] = []
  client.on('commandStarted', (event) => {
    if (!['createIndexes', 'endSessions'].includes(event.commandName)) commands.push(event)
  })
  return { client, commands }
}

mongoTest('a read, a creation and a save of a record that was read send one command each', async (t) => {
  const { client, commands } = watched(t)
  const { store, newRecord } = openScope(client)
  const record = newRecord()
  const sent = async (call: () => unknown): Promise<string[]> => {
    commands.length = 0
    await call()
    return commands.map(({ commandName }) => commandName)
  }
  t.deepEqual(await sent(() => store.create(record.id, record)), ['insert'])
  t.deepEqual(await sent(() => store.read(record.id)), ['find'])
  const seen = await store.read(record.id)
  t.deepEqual(await sent(() => store.update(record.id, counting, seen)), ['update'])
  t.deepEqual(await sent(() => store.update(record.id, counting, seen)), ['update', 'find', 'update'], 'a save that lost reads once and writes again')
  t.deepEqual(await sent(() => store.destroy(record.id)), ['find', 'delete'])
})

mongoTest('every write names rev and write of the state that it replaces, and none creates a document', async (t) => {
  const { client, commands } = watched(t)
  const { store, newRecord, keyOf } = openScope(client)
  const record = newRecord()
  await store.create(record.id, record)
  commands.length = 0
  const written = await store.update(record.id, counting, record)
  await store.destroy(record.id)
  const [update, , remove] = commands.map(({ command }) => command as { updates: { q: object; upsert?: boolean; multi?: boolean }[]; deletes: { q: object; limit: number }[] })
  t.deepEqual(update!.updates[0]!.q, { _id: keyOf(record.id), rev: { $eq: 1 }, write: { $eq: record.write } })
  t.falsy(update!.updates[0]!.upsert)
  t.deepEqual(remove!.deletes[0], { q: { _id: keyOf(record.id), rev: { $eq: 2 }, write: { $eq: written!.write } }, limit: 1 })
})

mongoTest('reads ask the primary for its newest state and writes wait for the majority, whatever the defaults of the client are', async (t) => {
  const { client, commands } = watched(t, { readPreference: 'secondary', readConcernLevel: 'majority', w: 1, directConnection: false })
  const { store, newRecord } = openScope(client)
  const record = newRecord({}, { owner: 'momo' })
  await store.create(record.id, record)
  await store.update(record.id, counting, await store.read(record.id))
  for await (const _ of store.records!());
  for await (const _ of store.ownedBy!('momo'));
  await store.destroy(record.id)
  t.true(commands.length > 6)
  for (const { commandName, command } of commands as { commandName: string; command: Record<string, { mode?: string; level?: string } | undefined> }[]) {
    if (commandName === 'find') {
      t.like(command['readConcern'], { level: 'local' })
      // To a single server, the driver asks for `primaryPreferred` instead of `primary`.
      t.true([undefined, 'primaryPreferred'].includes(command['$readPreference']?.mode))
    } else {
      t.deepEqual(command['writeConcern'], { w: 'majority', wtimeout: 1000 })
    }
  }
})

mongoTest('writeConcern of the store is the one of its writes', async (t) => {
  const { client, commands } = watched(t)
  const { store, newRecord } = openScope(client, { writeConcern: { w: 2, wtimeoutMS: 0, journal: true } })
  const record = newRecord()
  await store.create(record.id, record)
  t.deepEqual((commands[0]!.command as { writeConcern: object }).writeConcern, { w: 2, wtimeout: 0, j: true })
})

mongoTest('a document holds the text of the record, a hash of the owner, and expires a minute after the deadline', async (t) => {
  const { store, collection, newRecord, keyOf } = openScope(connectMongo(t, server.url))
  const record = newRecord({ cart: ['tea'] }, { owner: '17' })
  await store.create(record.id, record)
  t.deepEqual(await collection.findOne({ _id: keyOf(record.id) }), {
    _id: keyOf(record.id),
    rev: 1,
    write: record.write,
    expires: new Date(record.expires + 60_000),
    owner: '4523540f1504cd17100c4835e85b7eefd49911580f8efff0599a8f283be6b9e3',
    record: writeRecord(record)
  })
  const later = await store.update(record.id, (current) => {
    const { owner: _, ...rest } = current
    return { ...rest, expires: current.expires + 1000 }
  })
  t.deepEqual(await collection.findOne({ _id: keyOf(record.id) }), {
    _id: keyOf(record.id),
    rev: 2,
    write: later!.write,
    expires: new Date(record.expires + 61_000),
    record: writeRecord(later!)
  })
})

mongoTest('a deadline as late as a Date can hold is stored', async (t) => {
  const { store, newRecord } = openScope(connectMongo(t, server.url))
  const record = newRecord({}, { expires: 8.64e15 })
  await store.create(record.id, record)
  t.deepEqual(await store.read(record.id), record)
  t.is(await store.prune!(), 0)
})

mongoTest('prune() removes the expired records of its prefix and nothing else, however many there are', async (t) => {
  const { store, collection, newRecord, keyOf, advance } = openScope(connectMongo(t, server.url))
  const template = newRecord()
  const expires = new Date(template.expires + 60_000)
  const documents = Array.from({ length: 2500 }, (_, at) => ({ _id: keyOf(at.toString(16).padStart(64, '0')), rev: 1, write: 'w', expires, record: '' }))
  // A key of a longer prefix, keys that are no ids, and another prefix.
  const others = [keyOf(`0:${'a'.repeat(64)}`), keyOf('a'), keyOf('A'.repeat(64)), `other-${keyOf('a'.repeat(64))}`]
  await collection.insertMany([...documents, ...others.map((_id) => ({ _id, rev: 1, write: 'w', expires, record: '' }))])
  const kept = newRecord({}, { expires: template.expires + 1 })
  await store.create(kept.id, kept)
  advance(3_660_000)
  t.is(await store.prune!(), 2500)
  t.is(await collection.countDocuments({ _id: { $in: others } }), 4)
  t.is(await collection.countDocuments({ _id: keyOf(kept.id) }), 1)
})

mongoTest('a listing reads pages, and misses none of the records', async (t) => {
  const { client, commands } = watched(t)
  const { store, newRecord } = openScope(client)
  const records = Array.from({ length: 250 }, (_, at) => newRecord({ at }))
  await Promise.all(records.map((record) => store.create(record.id, record)))
  commands.length = 0
  const listed: string[] = []
  for await (const { id } of store.records!()) listed.push(id)
  t.deepEqual(listed, records.map(({ id }) => id).sort())
  t.deepEqual(commands.map(({ commandName }) => commandName), ['find', 'find', 'find'], 'no cursor stays open between the pages')
})

mongoTest('a document that others planted is no session, is reported as corrupt and stays', async (t) => {
  const events = recordEvents(t)
  const client = connectMongo(t, server.url)
  const { store, collection, newRecord, keyOf } = openScope(client)
  const raw = collection as unknown as { insertOne(document: object): Promise<unknown> }
  const wrong: object[] = [{}, { record: 7 }, { record: { rev: 1 } }, { rev: 1, write: 'w' }, { session: '{"cookie":{}}', expires: new Date() }]
  // With the text of a record, but not with its `rev` and `write`.
  const wrongBeside: object[] = [{ rev: '1' }, { rev: 2 }, { rev: { $gt: 0 } }, { rev: undefined }, { write: 'other' }, { write: null }, { write: { $ne: '' } }]
  const planted = (fields: object): [id: string, document: object] => {
    const record = newRecord()
    if (wrong.includes(fields)) return [record.id, fields]
    return [record.id, { rev: 1, write: record.write, expires: new Date(), record: writeRecord(record), ...fields }]
  }
  for (const fields of [...wrong, ...wrongBeside]) {
    const [id, document] = planted(fields)
    await raw.insertOne({ _id: keyOf(id), ...document })
    const before = await collection.findOne({ _id: keyOf(id) })
    t.is(await store.read(id), undefined)
    t.is(await store.update(id, () => t.fail()), undefined)
    t.is(await store.destroy(id), undefined)
    t.is(events.filter((event) => event.type === 'corrupt' && event.id === id).length, 3, JSON.stringify(fields))
    t.false(await store.create(id, newRecord({}, { id })))
    t.deepEqual(await collection.findOne({ _id: keyOf(id) }), before)
  }
  for await (const { id } of store.records!()) t.fail(`listed: ${id}`)
})

mongoTest('documents whose _id is no text do not disturb a listing, also under an owner', async (t) => {
  const { store, collection, newRecord, keyOf } = openScope(connectMongo(t, server.url))
  const record = newRecord({}, { owner: 'planted' })
  await store.create(record.id, record)
  const { owner } = (await collection.findOne({ _id: keyOf(record.id) }))!
  await (collection as unknown as { insertMany(documents: object[]): Promise<unknown> }).insertMany([{ owner }, { _id: 7, owner }, { _id: null, owner }, { _id: keyOf('x'), owner }])
  const listed: string[] = []
  for await (const { id } of store.records!()) listed.push(id)
  for await (const { id } of store.ownedBy!('planted')) listed.push(id)
  t.deepEqual(listed, [record.id, record.id])
})

mongoTest('a record that no document can hold is refused with its size, and the stored one stays', async (t) => {
  const { store, newRecord } = openScope(connectMongo(t, server.url))
  const error = { name: 'SessionError', code: 'ERR_SESSION_TOO_LARGE', message: /a session of 1[78]\d{6} bytes does not fit into a document of MongoDB/ }
  const huge = newRecord({ text: 'x'.repeat(17 * 1024 * 1024) })
  await t.throwsAsync(() => store.create(huge.id, huge), error)
  const record = newRecord({ text: 'x'.repeat(16_000_000) })
  await store.create(record.id, record)
  t.deepEqual(await store.read(record.id), record)
  await t.throwsAsync(() => store.update(record.id, setting('more', 'x'.repeat(1_000_000))), error)
  t.deepEqual(await store.read(record.id), record)
})
