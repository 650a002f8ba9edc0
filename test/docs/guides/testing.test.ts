import test from 'ava'
import { testGuides } from './guide.js'

const names = ['logsIn', 'beginsLoggedIn', 'isLoggedOutAfterADay'] as const
// They are exported where they are declared.
const load = testGuides([{ page: 'testing', exports: [] }])

test('testing.md: its tests log in, begin logged in, and move time', async (t) => {
  const { logsIn, beginsLoggedIn, isLoggedOutAfterADay } = await load<Record<(typeof names)[number], () => Promise<unknown>>>('testing')
  t.deepEqual(await logsIn(), { user: 'momo', theme: 'light' })
  t.deepEqual(await beginsLoggedIn(), { user: 'momo', theme: 'dark' })
  t.is(await isLoggedOutAfterADay(), 401)
})
