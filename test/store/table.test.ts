import test from 'ava'
import { UnderWay } from '../../src/stores/under-way.js'

test('what is under way is found by its id until it is over, whatever the id is', (t) => {
  const underWay = new UnderWay<{ id: string }>()
  for (const id of ['a', '7', 'constructor', '__proto__', 'toString']) {
    t.is(underWay.get(id), undefined, id)
    const entry = { id }
    underWay.set(id, entry)
    t.is(underWay.get(id), entry, id)
  }
  for (const id of ['a', '7', 'constructor', '__proto__', 'toString']) {
    t.is(underWay.get(id)?.id, id)
    underWay.delete(id)
    t.is(underWay.get(id), undefined, id)
  }
})
