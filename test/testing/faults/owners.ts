import { readRecord } from '../../../src/record/index.js'
import type { SessionRecord } from '../../../src/store/index.js'
import { filtered, memory, texts, type Fault } from './faulty-store.js'

/** A store whose `ownedBy` compares owners with the given function. */
function owners(matches: (owner: string, asked: string) => boolean): Fault[2] {
  return memory((store) => ({
    ownedBy: (asked) => filtered(store.records!(), ({ owner }) => owner !== undefined && matches(owner, asked))
  }))
}

export const ownerFaults: readonly Fault[] = [
  ['of nobody else', 'owners are compared as prefixes', owners((owner, asked) => owner.startsWith(asked))],
  ['of nobody else', 'owners are compared without case', owners((owner, asked) => owner.toLowerCase() === asked.toLowerCase())],
  ['of nobody else', 'owners are compared in a normal form', owners((owner, asked) => owner.normalize() === asked.normalize())],
  ['of nobody else', 'owners are compared without spaces at the end', owners((owner, asked) => owner.trimEnd() === asked.trimEnd())],
  ['of nobody else', 'long owners are cut', owners((owner, asked) => owner.slice(0, 255) === asked.slice(0, 255))],
  ['of nobody else', 'lone surrogates are all one', owners((owner, asked) => Buffer.from(owner).equals(Buffer.from(asked)))],
  ['of nobody else', 'an owner is a pattern', owners((owner, asked) => asked === '*' || owner === asked)],
  ['an owner with many', 'a page is the whole', memory((store) => ({
    async *ownedBy(owner) {
      let left = 10
      for await (const record of store.ownedBy!(owner)) if (left-- > 0) yield record
    }
  }))],
  ['as soon as an update', 'the owner of the creation counts', memory((store) => {
    const indexed = new Map<string, string | undefined>()
    return {
      create: (id, record) => indexed.set(id, record.owner) && store.create(id, record),
      ownedBy: (owner) => filtered(store.records!(), ({ id }) => indexed.get(id) === owner)
    }
  })],
  ['has moved or has expired', 'markers are listed by owner', texts({}, (store, database, scope) => ({
    async *ownedBy(owner) {
      yield* store.ownedBy!(owner)
      for await (const { text, id } of database.backend(scope).list!()) {
        const reading = readRecord(text, id)
        if ('record' in reading && reading.record.moved && reading.record.owner === owner) yield reading.record
      }
    }
  }))],
  ['whose deadline was moved', 'an entry of the index ends with the first deadline', memory((store, scope) => {
    const ends = new Map<string, number>()
    return {
      create: (id, record) => ends.set(id, record.expires) && store.create(id, record),
      ownedBy: (owner) => filtered(store.ownedBy!(owner), ({ id }) => scope.now() < ends.get(id)!)
    }
  })],
  ['may destroy the sessions that ownedBy() lists', 'a listing of an owner skips one for each that is destroyed', memory((store) => ({
    async *ownedBy(owner) {
      for (let at = 0; ; at++) {
        const all: SessionRecord[] = []
        for await (const record of store.ownedBy!(owner)) all.push(record)
        if (at >= all.length) return
        yield all[at]!
      }
    }
  }))]
]
