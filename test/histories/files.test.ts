import test from 'ava'
import { histories } from './histories.js'
import { files, fullDirectory, fullDisk, lockFiles } from './stages/files.js'
import { memory } from './stages/memory.js'

histories(test, [memory, files, fullDirectory, lockFiles, fullDisk])
