// Every variant's handler does this work, so that variants differ in nothing but their sessions.

/** The kinds of request, in the order in which they warm a server up. `new` is last: it leaves sessions behind. */
export const kinds = ['none', 'untouched', 'read', 'write', 'new']

/** Requests that need a session library with owners: a new sid, a login, and a list of the owner's sessions. */
export const ownerKinds = ['regenerate', 'login', 'devices']

/** The kinds that leave records behind. */
export const leavesRecords = new Set(['new', 'regenerate', 'login'])

export const sessionsPerOwner = 10

/** The path of a request of the client with that number. */
export function pathOf(kind, number) {
  return kind === 'login' ? `/login/owner-${Math.floor(number / sessionsPerOwner)}` : `/${kind}`
}

let orders

/** Makes sessions larger than they are, for as long as this process lives: to at least so many bytes as JSON. */
export function growSessions(bytes) {
  orders = []
  while (JSON.stringify(sessionData()).length < bytes) {
    orders.push({ number: 10_000 + orders.length, placed: '2026-01-31', paid: true, cents: 4200, note: 'left with the neighbour' })
  }
}

/** The data of one session: 584 bytes as JSON. */
export function sessionData() {
  return {
    user: 'momo',
    visits: 1,
    name: 'Momo of the old amphitheatre',
    email: 'momo@example.org',
    roles: ['customer', 'editor', 'listener'],
    csrf: 'qT3vJrP0yHn5cVbWm2sXzL8dKfGaEu7oIiRt1YwQpAs',
    preferences: { theme: 'dark', language: 'en-GB', timezone: 'Europe/Rome', newsletter: false, columns: 3 },
    cart: [
      { sku: 'HOUR-LILY-12', title: 'An hour of time, pressed between leaves', quantity: 2, cents: 1950 },
      { sku: 'TORTOISE-30', title: 'Half an hour of foresight', quantity: 1, cents: 4200 }
    ],
    notices: [{ level: 'info', text: 'Welcome back: your cart has been kept for you, as you left it.' }],
    ...(orders && { orders })
  }
}

/** The answers of a variant without sessions. */
export function answerWithout(path) {
  return path === '/read' ? 'momo' : path === '/write' ? '2' : 'ok'
}

/** Handles a request with the session that `open` gives; kinds that do not touch it never call `open`. */
export function answerWith(path, open) {
  switch (path) {
    case '/read':
      return open().user
    case '/write':
      return String(++open().visits)
    case '/new':
      Object.assign(open(), sessionData())
      return 'ok'
    case '/visits':
      return String(open().visits)
    default:
      return 'ok'
  }
}

/** Which paths the hand-written middleware has to be told to save after. */
export function changes(path) {
  return path === '/write' || path === '/new'
}

/** 32 bytes and more: the secret of every variant. */
export const secret = 'a-secret-of-the-benchmark-which-opens-nothing'
