import test from 'ava'
import { Random } from '../run/random.js'
import { check } from './check.js'
import { excerptOf } from './excerpt.js'
import type { Clock, Kind, Operation, Outcome, Seen } from './history.js'
import { isLinearizable } from './search.js'

const clock: Clock = { base: 1_000_000, origin: 0, speed: 1 }
const clocks = [clock]
/** A deadline that nobody lives to see. */
const far = 1e15

test('promise 10: the checker, which takes linear time, accepts exactly the histories that a search through all orders accepts', (t) => {
  const counts = { accepted: 0, refused: 0 }
  for (let number = 0; number < 6000; number++) {
    const operations = randomHistory(new Random(`history ${number}`))
    const violations = check({ operations, clocks, corrupt: [] })
    const expected = isLinearizable(operations)
    if (expected !== (violations.length === 0)) {
      return t.fail(`history ${number} is ${expected ? '' : 'not '}linearizable: ${violations.map(excerptOf).join('\n')}\n${JSON.stringify(operations, null, 1)}`)
    }
    counts[expected ? 'accepted' : 'refused']++
  }
  t.log(counts)
  t.true(counts.accepted > 1000 && counts.refused > 1000)
})

/** A history that a correct store can have, or one in which answers or times are others. */
function randomHistory(random: Random): Operation[] {
  const operations: Operation[] = []
  let state = ''
  let isOver = false
  const count = 4 + random.below(4)
  for (let at = 0; at < count; at++) {
    const id = `o${at}`
    const kind = at === 0 && random.chance(0.8) ? 'create' : random.pick<Kind>(['create', 'read', 'read', 'read', 'update', 'update', 'update', 'destroy', 'remove'])
    // A creation after the end would be a second session.
    if (kind === 'create' && isOver) continue
    const isPresent = state !== '' && !isOver
    // Some that fail were carried out, and some were not.
    const isCut = random.chance(0.15)
    const isCarriedOut = !isCut || random.chance(0.5)
    if (isCarriedOut && kind === 'create') state ||= id
    if (isCarriedOut && kind === 'update' && isPresent) state += ` ${id}`
    if (isCarriedOut && (kind === 'destroy' || kind === 'remove') && isPresent) isOver = true
    const call = { id, kind, session: 's', expires: far, clock: 0, worker: 'w', began: at * 10 - random.below(15) }
    operations.push(isCut ? { ...call, ended: Infinity } : { ...call, ended: at * 10 + random.below(15), outcome: outcomeOf(kind, isPresent, state) })
  }
  const mutations = random.below(4)
  return Array.from({ length: mutations }).reduce<Operation[]>((mutated) => mutate(random, mutated), operations)
}

function outcomeOf(kind: Kind, isPresent: boolean, operations: string): Outcome {
  if (kind === 'create') return { type: isPresent ? 'taken' : 'created' }
  return isPresent ? { type: 'record', seen: seen(operations) } : { type: 'none' }
}

/** Gives an operation another time, or the answer of another one. */
function mutate(random: Random, operations: readonly Operation[]): Operation[] {
  const [changed, other] = [random.pick(operations), random.pick(operations)]
  const answersAlike = (changed.kind === 'create') === (other.kind === 'create') && (changed.kind === 'update') === (other.kind === 'update')
  const shift = random.below(100) - 50
  const mutated =
    answersAlike && changed.outcome && other.outcome && random.chance(0.6) ? { ...changed, outcome: other.outcome } : { ...changed, began: changed.began + shift, ended: changed.ended + shift }
  return operations.map((each) => (each === changed ? mutated : each))
}

function seen(operations: string): Seen {
  return { rev: operations.split(' ').length, write: '', operations, expires: far }
}
