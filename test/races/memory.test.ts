import test from 'ava'
import { memoryStore } from '../../src/index.js'
import { startServers } from '../support/fleet.js'
import { races } from './races.js'

races(test, 'memory, one process', () => {
  const store = memoryStore()
  return startServers([store, store])
})
