import { Browser } from './browser.js'

/** The names of the data that copies of a cookie opened at each moment, or none. */
export interface Theft {
  /** The copy that was made before the login. */
  beforeLogin: string[]
  afterLogin: string[]
  /** Another copy, made after the login. */
  whileLoggedIn: string[]
  /** The data that either of them opened. */
  afterLogout: string[]
}

/** A visitor with a cart logs in, and later logs out. A thief copies the cookie before and after the login. */
export async function stealCookies(origin: string, login: '/login' | '/secure-login'): Promise<Theft> {
  const victim = new Browser(origin)
  const thieves: Browser[] = []
  const steal = () => {
    const thief = victim.copy()
    thieves.push(thief)
    return thief
  }
  try {
    await victim.post('/set?key=cart&value=3')
    const early = steal()
    const beforeLogin = await openedBy(early)
    await victim.post(login)
    const afterLogin = await openedBy(early)
    const late = steal()
    const whileLoggedIn = await openedBy(late)
    await victim.post('/logout')
    const afterLogout = [...(await openedBy(early)), ...(await openedBy(late))]
    return { beforeLogin, afterLogin, whileLoggedIn, afterLogout }
  } finally {
    for (const browser of [victim, ...thieves]) browser.close()
  }
}

async function openedBy(thief: Browser): Promise<string[]> {
  return Object.keys((await thief.read()).data)
}
