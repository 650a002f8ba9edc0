import session from 'express-session'

// A board. express-session behind Node's own server, as it works in Express too.

export function createBoard({ secret, store }) {
  const sessions = session({ secret, store, resave: false, saveUninitialized: false, cookie: { maxAge: 3_600_000 } })
  const listener = (req, res) => {
    sessions(req, res, () => {
      const { pathname, searchParams } = new URL(req.url, 'http://board')
      if (pathname === '/login') {
        req.session.regenerate(() => {
          req.session.user = searchParams.get('user')
          if (searchParams.has('remember')) req.session.cookie.maxAge = 30 * 86_400_000
          res.end('"welcome"')
        })
      } else if (pathname === '/logout') {
        req.session.destroy(() => res.end('"bye"'))
      } else {
        req.session.visits = (req.session.visits ?? 0) + 1
        res.end(JSON.stringify({ user: req.session.user ?? null, visits: req.session.visits }))
      }
    })
  }
  return { callback: () => listener }
}
