import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize, relative } from 'node:path'
import test from 'ava'

const root = join(import.meta.dirname, '..')
const source = join(root, 'src')

/** The rooms that each room may import, besides the base files and itself. `root` are the files directly in `src`. */
const allowed: Record<string, readonly string[]> = {
  base: [],
  record: [],
  store: ['record'],
  cookie: [],
  request: ['cookie', 'store', 'record'],
  stores: ['store', 'record'],
  migrating: ['request', 'stores', 'store'],
  settings: ['stores', 'store', 'record', 'cookie', 'request', 'root'],
  root: ['request', 'cookie', 'store', 'record', 'stores', 'settings'],
  testing: ['root', 'request', 'cookie', 'store', 'record', 'stores'],
  cli: ['request', 'store', 'record', 'stores', 'settings']
}

/** Files that every room may import. */
const baseFiles = new Set(['errors.ts', 'events.ts', 'checks.ts', 'delays.ts', 'process-wide.ts', 'recent-map.ts', 'warn-once.ts'])

const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts')).map((name) => name.replaceAll('\\', '/'))

/** The imports of each file, as paths below `src`. */
const imports = new Map(
  files.map((file): [string, string[]] => {
    const text = readFileSync(join(source, file), 'utf8')
    const specifiers = [...text.matchAll(/^\s*(?:import|export)\b[^'"]*?from '(\.[^']+)'/gm), ...text.matchAll(/\bimport\('(\.[^']+)'\)/g), ...text.matchAll(/^import '(\.[^']+)'/gm)]
    return [file, specifiers.map(([, specifier]) => normalize(join(dirname(file), specifier!)).replace(/\.js$/, '.ts').replaceAll('\\', '/'))]
  })
)

/** The room of a file; each store is a room of its own. */
function roomOf(file: string): string {
  const [first, second] = file.split('/') as [string, string?]
  if (second === undefined) return baseFiles.has(first) ? 'base' : 'root'
  return first === 'stores' ? `stores/${second.replace(/\.ts$/, '')}` : first
}

/** The room in the table above. */
function kindOf(room: string): string {
  return room.split('/')[0]!
}


test('every import names a file that exists', (t) => {
  for (const [file, targets] of imports) for (const target of targets) t.true(imports.has(target), `${file} imports ${target}`)
})

test('imports between rooms go in one direction', (t) => {
  for (const [file, targets] of imports) {
    const room = roomOf(file)
    for (const target of targets) {
      const other = roomOf(target)
      if (other === room || other === 'base') continue
      t.true(allowed[kindOf(room)]?.includes(kindOf(other)) || isBetweenStores(room, other), `${file} must not import ${target}`)
    }
  }
})

const isTableOfUrls = (room: string): boolean => room === 'stores/from-url' || room === 'stores/open-local'

/** Stores use the loader of drivers, and the table of URLs uses the stores. Otherwise no store imports another. */
function isBetweenStores(room: string, other: string): boolean {
  return isTableOfUrls(room) ? other.startsWith('stores/') : room.startsWith('stores/') && other === 'stores/load-driver'
}

test('a room imports another room only through its entry point', (t) => {
  for (const [file, targets] of imports) {
    for (const target of targets) {
      if (roomOf(file) === roomOf(target) || !target.includes('/')) continue
      const isEntry = target.endsWith('/index.ts') || target.split('/').length === 2
      t.true(target.startsWith('stores/') ? isEntry : target.endsWith('/index.ts'), `${file} imports ${target}`)
    }
  }
})

test('no two files import each other, directly or through others', (t) => {
  const done = new Set<string>()
  const visit = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) return t.fail(`a circle: ${[...path.slice(path.indexOf(file)), file].join(' -> ')}`)
    if (done.has(file)) return
    for (const target of imports.get(file) ?? []) visit(target, [...path, file])
    done.add(file)
  }
  for (const file of files) visit(file, [])
  t.pass()
})

test('the entry of the package only re-exports', (t) => {
  const lines = readFileSync(join(source, 'index.ts'), 'utf8').split('\n').filter((line) => line !== '')
  for (const line of lines) t.regex(line, /^export (type )?\{ .* \} from '.*'$/)
})

test('docs/ARCHITECTURE.md names no file and no function that is gone', (t) => {
  const text = readFileSync(join(root, 'docs/ARCHITECTURE.md'), 'utf8')
  const all = files.map((file) => readFileSync(join(source, file), 'utf8')).join('\n')
  const named = [...text.matchAll(/`([^`]+)`/g)].map(([, name]) => name!)
  const paths = named.filter((name) => /^[\w./-]+\.ts$/.test(name) && !name.startsWith('test/'))
  const folders = named.filter((name) => /^[\w/-]+\/$/.test(name))
  const functions = named.filter((name) => /^[\w.#]+\(\)$/.test(name)).map((name) => name.slice(0, -2).split('.').at(-1)!)
  t.true(paths.length > 20 && functions.length > 30, 'the walks name files and functions')
  for (const path of paths) t.true(files.some((file) => file === path || file.endsWith(`/${path}`)), `${path} is a file of src`)
  for (const folder of folders) t.true(files.some((file) => file.startsWith(folder) || relative('.', file).includes(`/${folder}`)) || /^(test|demo|bench|docs|src)\//.test(folder), `${folder} is a folder of src`)
  for (const name of functions) {
    const definition = new RegExp(`(?<![\\w.])${name.replace('#', '#?')}\\s*(<[^>]*>)?\\(|\\b(get|function|const) ${name}\\b`)
    t.true(definition.test(all), `${name}() is a function of src`)
  }
})
