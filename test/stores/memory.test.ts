import test from 'ava'
import { storeConformance } from '../../src/testing.js'
import { memoryStore } from '../../src/stores/memory.js'

storeConformance(test, (scope) => memoryStore().scope!(scope), { shared: false, parallel: 200 })
