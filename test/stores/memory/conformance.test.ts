import test from 'ava'
import { memoryStore } from '../../../src/stores/memory/index.js'
import { storeConformance } from '../../../src/testing/conformance.js'

storeConformance(test, (scope) => memoryStore().scope!(scope), { shared: false, parallel: 200 })
