#!/usr/bin/env node
import { outliveReader, run } from './index.js'

outliveReader(process.stdout)
outliveReader(process.stderr)

void run(process.argv.slice(2), process).then((status) => {
  process.exitCode = status
})
