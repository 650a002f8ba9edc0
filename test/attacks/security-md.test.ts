import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'

const root = join(import.meta.dirname, '../..')
const text = readFileSync(join(root, 'SECURITY.md'), 'utf8')

test('SECURITY.md names only test files that exist', (t) => {
  const files = [...text.matchAll(/`(test\/[^`]+)`/g)].map(([, file]) => file!)
  t.true(files.length > 20)
  for (const file of files) t.true(existsSync(join(root, file)), file)
})

test('SECURITY.md has one line for each requirement of V7 and V3.3 of ASVS 5.0', (t) => {
  const counts: readonly (readonly [section: string, count: number])[] = [['7.1', 3], ['7.2', 4], ['7.3', 2], ['7.4', 5], ['7.5', 3], ['7.6', 2], ['3.3', 5]]
  const expected = counts.flatMap(([section, count]) => Array.from({ length: count }, (_, at) => `${section}.${at + 1}`))
  t.deepEqual([...text.matchAll(/^\| (\d\.\d\.\d) \|/gm)].map(([, number]) => number), expected)
})
