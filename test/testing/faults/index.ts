import { corruptFaults } from './corrupt.js'
import { deadlineFaults } from './deadlines.js'
import { ownerFaults } from './owners.js'
import { raceFaults } from './races.js'
import { recordFaults } from './records.js'
import { storeFaults } from './stores.js'
import type { Fault } from './faulty-store.js'

/** Stores with one fault each, for each file of the suite. */
export const faults: readonly Fault[] = [...recordFaults, ...deadlineFaults, ...raceFaults, ...storeFaults, ...ownerFaults, ...corruptFaults]
