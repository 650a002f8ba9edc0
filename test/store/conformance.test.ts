import test from 'ava'
import type { SessionStore } from '../../src/store/index.js'
import { storeConformance } from '../../src/testing/conformance.js'
import type { StoreWithTexts } from '../../src/testing/fixture.js'
import { TextDatabase, type TextBackendOptions } from './text-backend.js'

// The kit on a backend that keeps texts in this process: it has to keep every promise by itself.

const kinds: readonly [string, TextBackendOptions][] = [
  ['rev and write are compared', {}],
  ['tokens are compared', { tokens: true }],
  ['a conflict is answered with the text', { answersText: true, tokens: true }]
]
for (const [name, options] of kinds) {
  const database = new TextDatabase(options)
  storeConformance(
    (title, run) => test(`${name}: ${title}`, run),
    (scope): StoreWithTexts => {
      const store: SessionStore = database.store().scope!(scope)
      return { store, put: (id, text) => database.put(scope, id, text), get: (id) => database.text(scope, id) }
    },
    { parallel: 200 }
  )
}
