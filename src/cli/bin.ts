#!/usr/bin/env node
import { run } from './index.js'

// `list | head` closes the pipe early, which is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit()
  throw error
})

void run(process.argv.slice(2), process).then((status) => {
  process.exitCode = status
})
