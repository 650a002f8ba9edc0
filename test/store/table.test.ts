import test from 'ava'
import { Table } from '../../src/store/index.js'

test('an entry with any id is found until it is deleted', (t) => {
  const table = new Table<{ id: string }>()
  for (const id of ['a', '7', 'constructor', '__proto__', 'toString']) {
    t.is(table.get(id), undefined, id)
    const entry = { id }
    table.set(id, entry)
    t.is(table.get(id), entry, id)
  }
  for (const id of ['a', '7', 'constructor', '__proto__', 'toString']) {
    t.is(table.get(id)?.id, id)
    table.delete(id)
    t.is(table.get(id), undefined, id)
  }
})
